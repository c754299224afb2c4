"""Permissions that the roles grant: the demo asks for them, or a reason stands here."""

import json

from infra.local.aws.policies import statements
from infra.local.cloud_assembly import Assembly
from infra.local.resource_names import LocalIdentifiers
from infra.local.template import Template
from tests.e2e.conftest import Platform

NOT_BY_THE_DEMO = {
    "cognito-idp:AdminAddUserToGroup": "a county's users are managed",
    "cognito-idp:AdminCreateUser": "a county's users are managed",
    "cognito-idp:AdminDisableUser": "a county's users are managed",
    "cognito-idp:AdminEnableUser": "a county's users are managed",
    "cognito-idp:AdminRemoveUserFromGroup": "a county's users are managed",
    "cognito-idp:AdminSetUserMFAPreference": "a county's users are managed",
    "cognito-idp:AdminSetUserPassword": "a county's users are managed",
    "cognito-idp:AdminUpdateUserAttributes": "a county is onboarded by somebody whom the operator gave no id",
    "cognito-idp:AdminUserGlobalSignOut": "a county's users are managed",
    "cognito-idp:AdminListGroupsForUser": "a key is presented, or a user is shown",
    "ec2:AssignPrivateIpAddresses": "Lambda joins a function to the network",
    "ec2:CreateNetworkInterface": "Lambda joins a function to the network",
    "ec2:DeleteNetworkInterface": "Lambda joins a function to the network",
    "ec2:DescribeNetworkInterfaces": "Lambda joins a function to the network",
    "ec2:DescribeSubnets": "Lambda joins a function to the network",
    "ec2:UnassignPrivateIpAddresses": "Lambda joins a function to the network",
    "lambda:InvokeFunction": "a preview of a geographic file, of which the demo has none",
    "logs:CreateLogStream": "Lambda writes the log",
    "logs:PutLogEvents": "Lambda writes the log",
    "s3:AbortMultipartUpload": "boto3 takes back a large upload that failed",
    "s3:DeleteObject": "parts of a compressed or geographic file, and models that nothing values by any more",
    "scheduler:ListSchedules": "counties whose schedules have stopped, looked for every hour",
    "scheduler:UpdateSchedule": "a county's schedule changes",
    "sqs:GetQueueAttributes": "comes with leave to send",
    "sqs:GetQueueUrl": "comes with leave to send",
    "sqs:SendMessage": "Lambda keeps an event that a function failed on",
    "states:DescribeExecution": "a job that has not ended after a minute is looked at",
    "states:StopExecution": "a job that is cancelled while it runs",
    "xray:PutTelemetryRecords": "traces go to Lambda's daemon, which sends them",
    "xray:PutTraceSegments": "traces go to Lambda's daemon, which sends them",
}


def test_no_function_is_refused_anything(platform: Platform) -> None:
    records = [json.loads(line) for line in (platform.data_dir / "logs" / "permissions.jsonl").read_text().splitlines()]

    assert [record for record in records if not record["allowed"]] == []


def test_every_granted_action_is_asked_for_or_has_a_reason(platform: Platform) -> None:
    (assembly,) = (path for path in (platform.data_dir / "assemblies").iterdir() if path.is_dir())
    template = Template(Assembly(assembly, LocalIdentifiers()))
    policies = template.role_policies()
    granted = {
        action
        for function in template.functions()
        for document in policies[function.role]
        for statement in statements(document)
        for action in statement.actions
    }
    lines = (platform.data_dir / "logs" / "permissions.jsonl").read_text().splitlines()
    asked_for = {json.loads(line)["action"] for line in lines}

    assert granted - asked_for - set(NOT_BY_THE_DEMO) == set()
    assert set(NOT_BY_THE_DEMO) - granted == set()  # nothing is explained that is not granted any more
