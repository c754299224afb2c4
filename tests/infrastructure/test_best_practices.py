"""cdk-nag's findings: mended, or accepted with a reason where the resource is made. `app.py` refuses any other."""

import pytest
from aws_cdk import App, Stack
from aws_cdk.aws_iam import PolicyStatement, Role, ServicePrincipal
from aws_cdk.aws_sqs import Queue

from infra.best_practices import BestPracticeError, accept, open_findings, require_best_practices


def _app() -> tuple[App, Queue, Role]:
    app = App()
    stack = Stack(app, "Stack")
    queue = Queue(stack, "Queue")
    role = Role(stack, "Role", assumed_by=ServicePrincipal("lambda.amazonaws.com"))
    role.add_to_policy(PolicyStatement(actions=["sqs:SendMessage"], resources=[f"{queue.queue_arn}/*"]))
    return app, queue, role


def test_a_finding_that_nobody_accepted_stops_the_synthesis_with_its_resource() -> None:
    app, _, _ = _app()

    with pytest.raises(BestPracticeError, match=r"Stack/Queue/Resource: AwsSolutions-SQS3: "):
        require_best_practices(app)


def test_accepted_findings_are_those_of_the_resource_and_of_the_very_pattern() -> None:
    app, queue, role = _app()
    accept(queue, dict.fromkeys(("AwsSolutions-SQS3", "AwsSolutions-SQS4"), "a queue of a test"))
    accept(role, {"AwsSolutions-IAM5[Resource::<Queue….Arn>/*]": "a pattern of a test"})
    role.add_to_policy(PolicyStatement(actions=["sqs:Get*"], resources=[queue.queue_arn]))

    assert [finding.rule for finding in open_findings(app)] == ["AwsSolutions-IAM5[Action::sqs:Get*]"]


@pytest.mark.parametrize("reason", ["", "TODO", "not now"])
def test_nothing_is_accepted_without_a_reason(reason: str) -> None:
    _, queue, _ = _app()

    with pytest.raises(ValueError, match="Stack/Queue: AwsSolutions-SQS3 is accepted without a reason"):
        accept(queue, {"AwsSolutions-SQS3": reason})
