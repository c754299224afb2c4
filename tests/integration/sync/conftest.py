"""Fixtures: a county with a small source, whose sync machine the tests run step by step."""

from collections.abc import Iterator

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
