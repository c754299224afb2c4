"""`terrafusion dead-letters`: the undelivered events of a stage, listed or delivered again."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import typer

from infra.cli.deployed_stage import DeployedStage, StageName
from infra.cli.errors import CommandError
from infra.cli.session import console
from infra.cli.tables import WholeTable

QUEUES = ("sync-dead-letters", "jobs-dead-letters", "webhooks-dead-letters")
MAX_RECEIVED = 10
"""Messages that SQS hands out at once."""
_HIDDEN_S = 60
"""Seconds for which a message that was received is handed out to nobody else."""


@dataclass(frozen=True)
class DeadLetter:
    """A message of a dead-letter queue: the target's ARN, the event meant for it, and why it is here."""

    queue_url: str
    receipt: str
    sent_at: datetime
    target: str
    event: Any
    reason: str

    @classmethod
    def of_message(cls, queue_url: str, message: Mapping[str, Any]) -> "DeadLetter":
        """Read a message of EventBridge or its scheduler (the event, with the target as an attribute), or of Lambda,
        which encloses the event that its function failed with."""
        body = json.loads(message["Body"])
        attributes = {name: value["StringValue"] for name, value in message.get("MessageAttributes", {}).items()}
        target, reason = attributes.get("TARGET_ARN", ""), attributes.get("ERROR_MESSAGE", "")
        if not target:
            context, answer = body["requestContext"], body.get("responsePayload") or {}
            target = context["functionArn"].removesuffix(":$LATEST")
            reason = f"{answer.get('errorType', context['condition'])}: {answer.get('errorMessage', '')}"
            body = body["requestPayload"]
        sent_at = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)
        return cls(queue_url, message["ReceiptHandle"], sent_at, target, body, reason)


def dead_letters(
    stage: str = StageName,
    redrive: bool = typer.Option(False, "--redrive", help="Deliver each event again, and remove it from its queue."),
) -> None:
    """List the undelivered events of a deployed STAGE, or deliver them again."""
    deployed = DeployedStage(stage)
    table = WholeTable("since", "target", "reason", "event")
    letters = list(_received(deployed))
    for letter in letters:
        table.add_row(
            letter.sent_at.isoformat(timespec="seconds"),
            letter.target.rpartition(":")[2],
            letter.reason,
            json.dumps(letter.event),
        )
        if redrive:
            _deliver(deployed, letter)
    if not letters:
        console().print("No event is undelivered.")
        return
    console().print(table)
    console().print(f"{len(letters)} delivered again." if redrive else "Deliver them again with --redrive.")


def _received(deployed: DeployedStage) -> Iterator[DeadLetter]:
    sqs = deployed.client("sqs")
    for name in QUEUES:
        try:
            url = sqs.get_queue_url(QueueName=deployed.physical_name(name))["QueueUrl"]
        except sqs.exceptions.QueueDoesNotExist:
            raise CommandError(f"stage {deployed.name} has no queue {name} in this account and region") from None
        while messages := sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=MAX_RECEIVED,
            VisibilityTimeout=_HIDDEN_S,
            MessageAttributeNames=["All"],
            AttributeNames=["SentTimestamp"],
        ).get("Messages"):
            yield from (DeadLetter.of_message(url, message) for message in messages)


def _deliver(deployed: DeployedStage, letter: DeadLetter) -> None:
    """Deliver an event to its target; it leaves the queue afterwards, so that a failure leaves it there."""
    event = json.dumps(letter.event)
    match letter.target.split(":")[2]:
        case "lambda":
            deployed.client("lambda").invoke(FunctionName=letter.target, InvocationType="Event", Payload=event)
        case "states":
            deployed.client("stepfunctions").start_execution(stateMachineArn=letter.target, input=event)
        case service:
            raise CommandError(f"nothing here delivers to {service}: {letter.target}")
    deployed.client("sqs").delete_message(QueueUrl=letter.queue_url, ReceiptHandle=letter.receipt)
