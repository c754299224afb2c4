"""Fixtures: a county with a small source, whose sync machine the tests run step by step."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from infra.local.postgres import LocalPostgres
from tests.aws import aws_in_this_process
from tests.conftest import MigratedDatabase
from tests.integration.sync import precedence_world
from tests.integration.sync.county import County

BUS = "terrafusion"


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """S3, Secrets Manager, EventBridge and Step Functions by moto, in this process."""
    monkeypatch.setenv("EVENT_BUS_NAME", BUS)
    with aws_in_this_process(monkeypatch, "sync"):
        boto3.client("events").create_event_bus(Name=BUS)
        yield


@pytest.fixture
def county(postgres_server: LocalPostgres, database: MigratedDatabase, cloud: None) -> Iterator[County]:
    """A county whose source is a database of its own, with 300 parcels and their sales."""
    name = f"{database.name}_source"
    postgres_server.create_database(name)
    made = County(postgres_server.owner_url(name))
    made.build()
    yield made
    made.close()
    postgres_server.drop_database(name)


@pytest.fixture
def queue(county: County) -> str:
    """A queue that hears every event of the bus."""
    queue = boto3.client("sqs").create_queue(QueueName="events")["QueueUrl"]
    attributes = boto3.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    pattern = json.dumps({"source": ["terrafusion.sync"]})
    boto3.client("events").put_rule(Name="all", EventBusName=BUS, EventPattern=pattern)
    target: Any = {"Id": "queue", "Arn": attributes["QueueArn"]}
    boto3.client("events").put_targets(Rule="all", EventBusName=BUS, Targets=[target])
    return str(queue)


def events_in(queue: str) -> list[dict[str, Any]]:
    """The events that the queue has."""
    messages = boto3.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"]) for message in messages]


@pytest.fixture(autouse=True)
def small_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Partitions of 100 rows, so that a small source has several."""
    from functions.sync.domain import partitioning
    from functions.sync.engine.publication import file_plan

    monkeypatch.setattr(partitioning, "PARTITION_ROWS", 100)
    monkeypatch.setattr(file_plan, "ROWS_PER_FILE", 120)


@pytest.fixture
def small(county: County) -> County:
    """A county of three parcels and their roll."""
    precedence_world.prepare(county)
    return county
