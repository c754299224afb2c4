"""Decisions of IAM, and the permissions that a request needs."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import boto3
import pytest
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st

from infra.local.aws.policies import Access, allows, statements
from infra.local.aws.required_permissions import UnknownOperationError, credential, required
from infra.local.cloud_assembly import TemplateError

ROLE = "arn:aws:iam::123456789012:role/reader"
BUCKET = "arn:aws:s3:::data"
READ = {"Effect": "Allow", "Action": ["s3:Get*", "s3:ListBucket"], "Resource": [BUCKET, f"{BUCKET}/counties/*"]}


def decide(
    access: Access, *role: Mapping[str, Any], resource: Mapping[str, Any] | None = None, arn: str = ROLE
) -> bool:
    own = statements({"Statement": list(role)})
    return allows(own, statements({"Statement": resource}) if resource else (), arn, access)


@pytest.mark.parametrize(
    ("action", "resource", "allowed"),
    [
        ("s3:GetObject", f"{BUCKET}/counties/king_wa/a", True),
        ("s3:getobject", f"{BUCKET}/counties/king_wa/a", True),  # actions are the same in any case, resources are not
        ("s3:GetObject", f"{BUCKET}/Counties/king_wa/a", False),
        ("s3:GetObject", f"{BUCKET}/other", False),
        ("s3:PutObject", f"{BUCKET}/counties/king_wa/a", False),
        ("s3:ListBucket", BUCKET, True),
        ("s3:ListBucket", f"{BUCKET}2", False),
    ],
)
def test_a_role_is_allowed_what_a_statement_names(action: str, resource: str, allowed: bool) -> None:
    assert decide(Access(action, resource), READ) is allowed


def test_a_deny_wins_over_every_allow() -> None:
    deny = {"Effect": "Deny", "Action": "s3:*", "Resource": f"{BUCKET}/counties/closed/*"}
    assert decide(Access("s3:GetObject", f"{BUCKET}/counties/open/a"), READ, deny)
    assert not decide(Access("s3:GetObject", f"{BUCKET}/counties/closed/a"), READ, deny)
    of_account = deny | {"Principal": {"AWS": "arn:aws:iam::123456789012:root"}}
    assert not decide(Access("s3:GetObject", f"{BUCKET}/counties/closed/a"), READ, resource=of_account)


def test_a_resource_policy_allows_the_role_that_it_names_and_no_other() -> None:
    grant = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"{BUCKET}/*", "Principal": {"AWS": ROLE}}
    access = Access("s3:PutObject", f"{BUCKET}/a")
    assert decide(access, resource=grant)
    assert not decide(access, resource=grant, arn=f"{ROLE}-of-another")
    of_account = grant | {"Principal": {"AWS": "arn:aws:iam::123456789012:root"}}
    assert not decide(access, resource=of_account)  # this only lets the account's own policies decide


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}, True),
        ({"StringEquals": {"iam:PassedToService": ["a", "scheduler.amazonaws.com"]}}, True),
        ({"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}, False),
        ({"StringLike": {"iam:PassedToService": "*.amazonaws.com"}}, True),
        ({"StringEquals": {"aws:SourceAccount": "123456789012"}}, False),  # a key that the request lacks
        ({"Null": {"aws:SourceAccount": "true"}}, True),
        ({"Null": {"aws:SourceAccount": "false"}}, False),
        ({"Null": {"iam:PassedToService": "true"}}, False),
        ({"Null": {"iam:PassedToService": "false"}}, True),
        ({"StringLike": {"iam:PassedToService": "*"}, "Bool": {"aws:SecureTransport": "true"}}, False),
    ],
)
def test_every_condition_of_a_statement_must_hold(condition: Mapping[str, Any], allowed: bool) -> None:
    passing = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*", "Condition": condition}
    access = Access("iam:PassRole", ROLE, {"iam:PassedToService": "scheduler.amazonaws.com"})
    assert decide(access, passing) is allowed


@pytest.mark.parametrize(
    "element", [{"NotAction": "s3:*"}, {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}]
)
def test_what_is_not_known_here_is_an_error_and_no_decision(element: dict[str, Any]) -> None:
    with pytest.raises(TemplateError, match="not known here"):
        statements({"Statement": READ | element})


@given(text=st.text("a[]()+.\\^$|*?", max_size=12))
def test_only_the_wildcards_of_iam_are_wildcards(text: str) -> None:
    literal = text.replace("*", "").replace("?", "")
    policy = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{BUCKET}/{literal}"}
    assert decide(Access("s3:GetObject", f"{BUCKET}/{literal}"), policy)
    assert not decide(Access("s3:GetObject", f"{BUCKET}/{literal}b"), policy)


class Sent:
    """Requests as boto3 signs them, which nothing answers."""

    def __init__(self) -> None:
        self.environs: list[dict[str, Any]] = []

    def client(self, service: str) -> Any:
        session: Any = boto3.Session("ASIAKEY", "secret", region_name="us-east-1")
        version = "s3v4" if service == "s3" else None
        config = Config(retries={"total_max_attempts": 1}, signature_version=version, s3={"addressing_style": "path"})
        client = session.client(service, endpoint_url="http://127.0.0.1:9", config=config)
        client.meta.events.register("before-send.*", self._keep)
        return client

    def _keep(self, request: Any, **_: Any) -> None:
        path, _question_mark, query = request.url.removeprefix("http://127.0.0.1:9").partition("?")
        body = request.body.read() if hasattr(request.body, "read") else request.body or b""
        body = body.encode() if isinstance(body, str) else bytes(body)
        headers = {
            f"HTTP_{name.upper().replace('-', '_')}": value.decode() if isinstance(value, bytes) else value
            for name, value in request.headers.items()
        }
        self.environs.append(
            {
                **headers,
                "REQUEST_METHOD": request.method,
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "CONTENT_LENGTH": str(len(body)),
                "wsgi.input": BytesIO(body),
            }
        )


@pytest.fixture
def sent() -> Sent:
    return Sent()


ACCOUNT_ARN = "arn:aws:{}:us-east-1:123456789012"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:sync"
EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:sync:1"
KEY = {"Bucket": "data", "Key": "a/b"}
SCHEDULE = {
    "Name": "king",
    "GroupName": "syncs",
    "ScheduleExpression": "rate(1 day)",
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": {"Arn": MACHINE, "RoleArn": ROLE},
}
WRITE = "arn:aws:scheduler:us-east-1:123456789012:schedule/syncs/king"
CALLS: list[tuple[str, str, dict[str, Any], list[tuple[str, str]]]] = [
    ("s3", "get_object", KEY, [("s3:GetObject", f"{BUCKET}/a/b")]),
    ("s3", "head_object", KEY, [("s3:GetObject", f"{BUCKET}/a/b")]),
    ("s3", "put_object", KEY | {"Body": b"x"}, [("s3:PutObject", f"{BUCKET}/a/b")]),
    (
        "s3",
        "put_object",
        KEY | {"Body": b"x", "Tagging": "a=b"},
        [("s3:PutObject", f"{BUCKET}/a/b"), ("s3:PutObjectTagging", f"{BUCKET}/a/b")],
    ),
    ("s3", "delete_object", KEY, [("s3:DeleteObject", f"{BUCKET}/a/b")]),
    (
        "s3",
        "delete_objects",
        {"Bucket": "data", "Delete": {"Objects": [{"Key": "a"}, {"Key": "b&c"}]}},
        [("s3:DeleteObject", f"{BUCKET}/a"), ("s3:DeleteObject", f"{BUCKET}/b&c")],
    ),
    ("s3", "list_objects_v2", {"Bucket": "data", "Prefix": "a/"}, [("s3:ListBucket", BUCKET)]),
    ("s3", "create_multipart_upload", KEY, [("s3:PutObject", f"{BUCKET}/a/b")]),
    ("s3", "abort_multipart_upload", KEY | {"UploadId": "1"}, [("s3:AbortMultipartUpload", f"{BUCKET}/a/b")]),
    (
        "s3",
        "copy_object",
        KEY | {"CopySource": {"Bucket": "other", "Key": "c"}},
        [("s3:PutObject", f"{BUCKET}/a/b"), ("s3:GetObject", "arn:aws:s3:::other/c")],
    ),
    (
        "secretsmanager",
        "get_secret_value",
        {"SecretId": "x/y"},
        [("secretsmanager:GetSecretValue", f"{ACCOUNT_ARN.format('secretsmanager')}:secret:x/y-??????")],
    ),
    (
        "events",
        "put_events",
        {"Entries": [{"EventBusName": "bus"}]},
        [("events:PutEvents", f"{ACCOUNT_ARN.format('events')}:event-bus/bus")],
    ),
    ("stepfunctions", "start_execution", {"stateMachineArn": MACHINE}, [("states:StartExecution", MACHINE)]),
    ("stepfunctions", "stop_execution", {"executionArn": EXECUTION}, [("states:StopExecution", EXECUTION)]),
    ("scheduler", "create_schedule", SCHEDULE, [("scheduler:CreateSchedule", WRITE), ("iam:PassRole", ROLE)]),
    ("scheduler", "list_schedules", {"GroupName": "syncs"}, [("scheduler:ListSchedules", "*")]),
    ("scheduler", "delete_schedule", {"Name": "king", "GroupName": "syncs"}, [("scheduler:DeleteSchedule", WRITE)]),
    (
        "cognito-idp",
        "admin_get_user",
        {"UserPoolId": "us-east-1_1", "Username": "a"},
        [("cognito-idp:AdminGetUser", f"{ACCOUNT_ARN.format('cognito-idp')}:userpool/us-east-1_1")],
    ),
    (
        "lambda",
        "invoke",
        {"FunctionName": "convert", "Payload": b"{}"},
        [("lambda:InvokeFunction", f"{ACCOUNT_ARN.format('lambda')}:function:convert")],
    ),
]


@pytest.mark.parametrize(("service", "operation", "parameters", "needed"), CALLS, ids=[call[1] for call in CALLS])
def test_a_call_needs_the_permissions_of_its_operation(
    sent: Sent, service: str, operation: str, parameters: dict[str, Any], needed: list[tuple[str, str]]
) -> None:
    with pytest.raises(Exception, match="http://127"):
        getattr(sent.client(service), operation)(**parameters)

    (environ,) = sent.environs
    signed = credential(environ)
    assert signed is not None
    assert signed[0] == "ASIAKEY"
    assert [(access.action, access.resource) for access in required(environ, signed[1])] == needed


def test_a_signed_address_is_its_signers_call(sent: Sent) -> None:
    address = sent.client("s3").generate_presigned_url("get_object", KEY)
    assert credential({"QUERY_STRING": address.partition("?")[2]}) == ("ASIAKEY", "s3")


def test_an_operation_that_is_not_known_is_refused_by_name(sent: Sent) -> None:
    environ = {"REQUEST_METHOD": "PUT", "PATH_INFO": "/data", "QUERY_STRING": "policy"}
    with pytest.raises(UnknownOperationError, match="s3, PUT /data"):
        required(environ, "s3")
