"""The queue of events that could not be delivered or handled."""

from aws_cdk import Duration
from aws_cdk.aws_events import IRuleTarget
from aws_cdk.aws_events_targets import LambdaFunction
from aws_cdk.aws_iam import IRole
from aws_cdk.aws_lambda import Function
from aws_cdk.aws_lambda_destinations import SqsDestination
from aws_cdk.aws_sqs import IQueue, Queue, QueueEncryption
from constructs import Construct

from infra.best_practices import accept
from infra.settings import StageSettings

_RETENTION = Duration.days(14)
"""The longest that SQS keeps a message."""


class DeadLetters(Construct):
    """A dead-letter queue. `terrafusion dead-letters` lists it, and delivers its messages again (redrive)."""

    def __init__(self, scope: Construct, construct_id: str, name: str, settings: StageSettings) -> None:
        super().__init__(scope, construct_id)
        self.queue: IQueue = Queue(
            self,
            "Queue",
            queue_name=settings.physical_name(f"{name}-dead-letters"),
            encryption=QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=_RETENTION,
        )
        accept(self.queue, {"AwsSolutions-SQS3": "It is the dead-letter queue of event targets, which nag cannot see."})

    def event_target(self, function: Function) -> IRuleTarget:
        """A rule's target that calls `function`. Events that do not reach it, and those that it fails with, are kept:
        the first by EventBridge, the others by Lambda, which tries each three times."""
        self.keep_failures_of(function)
        return LambdaFunction(function, dead_letter_queue=self.queue)

    def keep_failures_of(self, function: Function) -> None:
        """Keep the events that a function fails with, after Lambda's three attempts."""
        function.configure_async_invoke(on_failure=SqsDestination(self.queue))

    def keep_for(self, role: IRole) -> str:
        """Let a scheduler's `role` send what it cannot deliver; returns the queue's ARN."""
        self.queue.grant_send_messages(role)
        return self.queue.queue_arn
