"""What AWS's services call for us, their roles and the resources' policies allow: machines, schedules, rules, alarms.

The local cloud holds each call of a function against its role while it runs. What a machine, a schedule or a rule calls
stands in the template whole, so it is held against the template here.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.aws.policies import Access, Statement, allows, statements
from infra.local.cloud_assembly import Assembly, Resource
from infra.local.resource_names import LocalIdentifiers
from infra.local.synthesis import synthesized
from infra.local.template import Template

CLOCK = "scheduler.amazonaws.com"
STEP_FUNCTIONS = "states.amazonaws.com"


@pytest.fixture(scope="module")
def assembly(assemblies: Path) -> Assembly:
    return Assembly(synthesized(assemblies), LocalIdentifiers())


@pytest.fixture(scope="module")
def roles(assembly: Assembly) -> dict[str, tuple[Statement, ...]]:
    documents = Template(assembly).role_policies()
    return {role: tuple(s for document in each for s in statements(document)) for role, each in documents.items()}


def _all(assembly: Assembly, kind: str) -> Iterator[tuple[Resource, dict[str, Any]]]:
    for resource in assembly.resources(kind):
        yield resource, assembly.properties(resource)


def _tasks(definition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The states of a definition, those within its maps too."""
    for state in definition["States"].values():
        yield state
        if "ItemProcessor" in state:
            yield from _tasks(state["ItemProcessor"])


def _calls(definition: dict[str, Any], machine: str) -> Iterator[Access]:
    """What a machine's execution calls (Step Functions Developer Guide, "IAM policies for integrated services" and
    "... for using Distributed Map state")."""
    execution = machine.replace(":stateMachine:", ":execution:")
    for state in _tasks(definition):
        if state["Type"] == "Task":
            yield Access("lambda:InvokeFunction", state["Resource"])
        if state["Type"] == "Map" and "ItemReader" in state:
            yield Access("states:StartExecution", machine)
            yield Access("states:DescribeExecution", f"{execution}:some-run")
            yield Access("states:StopExecution", f"{execution}:some-run")
            parameters = state["ItemReader"]["Parameters"]
            yield Access("s3:GetObject", f"arn:aws:s3:::{parameters['Bucket']}/county/sync/run/partitions.json")


def test_a_machine_may_call_each_of_its_tasks_and_read_the_lists_of_its_maps(
    assembly: Assembly, roles: dict[str, tuple[Statement, ...]]
) -> None:
    machines = list(_all(assembly, "AWS::StepFunctions::StateMachine"))
    assert len(machines) == 3
    for resource, properties in machines:
        role, arn = properties["RoleArn"], assembly.attribute(resource, "Arn")
        calls = list(_calls(json.loads(properties["DefinitionString"]), arn))
        assert calls
        assert [call for call in calls if not allows(roles[role], (), role, call)] == []


def test_a_machine_may_call_no_other_function(assembly: Assembly, roles: dict[str, tuple[Statement, ...]]) -> None:
    functions = [function.arn for function in Template(assembly).functions()]
    for _, properties in _all(assembly, "AWS::StepFunctions::StateMachine"):
        role = properties["RoleArn"]
        definition = json.loads(properties["DefinitionString"])
        called = {state["Resource"] for state in _tasks(definition) if state["Type"] == "Task"}
        callable_by_role = {
            arn for arn in functions if allows(roles[role], (), role, Access("lambda:InvokeFunction", arn))
        }
        assert callable_by_role == called


def test_the_role_of_the_counties_schedules_may_start_the_sync_and_keep_what_it_could_not(
    assembly: Assembly, roles: dict[str, tuple[Statement, ...]]
) -> None:
    variables = {f.name.removeprefix("terrafusion-dev-"): f.environment for f in Template(assembly).functions()}
    environment = variables["counties"]
    role = environment["SCHEDULE_ROLE_ARN"]
    (machine,) = (m.arn for m in Template(assembly).state_machines() if m.name == "terrafusion-dev-sync")

    assert allows(roles[role], (), role, Access("states:StartExecution", machine))
    assert allows(roles[role], (), role, Access("sqs:SendMessage", environment["SCHEDULE_DEAD_LETTERS_ARN"]))
    actions = {action for statement in roles[role] for action in statement.actions}
    assert actions - {"sqs:GetQueueAttributes", "sqs:GetQueueUrl"} == {"states:StartExecution", "sqs:SendMessage"}


def test_a_schedule_of_the_template_may_call_its_target(
    assembly: Assembly, roles: dict[str, tuple[Statement, ...]]
) -> None:
    schedules = list(_all(assembly, "AWS::Scheduler::Schedule"))
    assert schedules
    for _, properties in schedules:
        target = properties["Target"]
        access = Access("lambda:InvokeFunction", target["Arn"])
        assert allows(roles[target["RoleArn"]], (), target["RoleArn"], access)


def test_a_rule_may_call_its_target_and_keep_what_could_not_be_delivered(assembly: Assembly) -> None:
    permissions = [properties for _, properties in _all(assembly, "AWS::Lambda::Permission")]
    policies = [properties["PolicyDocument"] for _, properties in _all(assembly, "AWS::SQS::QueuePolicy")]
    rules = [(r, p) for r, p in _all(assembly, "AWS::Events::Rule") if p.get("Targets")]
    assert rules
    for resource, properties in rules:
        rule = assembly.attribute(resource, "Arn")
        for target in properties["Targets"]:
            assert any(
                p["FunctionName"] == target["Arn"]
                and p["Principal"] == "events.amazonaws.com"
                and p.get("SourceArn") == rule
                for p in permissions
            ), rule
            letters = target["DeadLetterConfig"]["Arn"]
            message = Access("sqs:SendMessage", letters, {"aws:SourceArn": rule, "aws:SecureTransport": "true"})
            policy = [s for document in policies for s in statements(document)]
            assert allows((), policy, "events.amazonaws.com", message), letters
            elsewhere = Access("sqs:SendMessage", letters, {**message.context, "aws:SourceArn": f"{rule}-other"})
            assert not allows((), policy, "events.amazonaws.com", elsewhere)


def test_a_role_is_assumed_by_the_service_that_it_is_for_and_by_no_other(assembly: Assembly) -> None:
    trusted = {
        assembly.attribute(resource, "Arn"): {
            service
            for statement in statements(properties["AssumeRolePolicyDocument"])
            for service in statement.principals
        }
        for resource, properties in _all(assembly, "AWS::IAM::Role")
    }
    for function in Template(assembly).functions():
        assert trusted[function.role] == {"lambda.amazonaws.com"}
    for _, properties in _all(assembly, "AWS::StepFunctions::StateMachine"):
        assert trusted[properties["RoleArn"]] == {STEP_FUNCTIONS}
    for _, properties in _all(assembly, "AWS::Scheduler::Schedule"):
        assert trusted[properties["Target"]["RoleArn"]] == {CLOCK}


def test_the_topic_takes_the_alarms_of_this_account_and_nobody_elses_messages(assembly: Assembly) -> None:
    (policy,) = (statements(p["PolicyDocument"]) for _, p in _all(assembly, "AWS::SNS::TopicPolicy"))
    (topic,) = {resource for statement in policy for resource in statement.resources}
    secure = {"aws:SecureTransport": "true"}
    own = Access("sns:Publish", topic, {**secure, "aws:SourceAccount": topic.split(":")[4]})
    foreign = Access("sns:Publish", topic, {**secure, "aws:SourceAccount": "999999999999"})

    assert allows((), policy, "cloudwatch.amazonaws.com", own)
    assert not allows((), policy, "cloudwatch.amazonaws.com", foreign)
    assert not allows((), policy, "events.amazonaws.com", own)
    in_clear = Access("sns:Publish", topic, {**own.context, "aws:SecureTransport": "false"})
    assert not allows((), policy, "cloudwatch.amazonaws.com", in_clear)
