"""A county with a small source, and the sync machine walked by hand."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from infra.local.postgres import LocalPostgres
from shared.aws import forget_clients
from shared.settings import settings
from tests.conftest import MigratedDatabase
from tests.integration.sync.county import County

BUCKET = "terrafusion-data"
BUS = "terrafusion"


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """S3, Secrets Manager, EventBridge and Step Functions by moto, in this process."""
    for name, value in {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "DATA_BUCKET": BUCKET,
        "EVENT_BUS_NAME": BUS,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        boto3.client("events").create_event_bus(Name=BUS)
        machine = boto3.client("stepfunctions").create_state_machine(
            name="sync",
            definition='{"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}',
            roleArn="arn:aws:iam::123456789012:role/sync",
        )
        monkeypatch.setenv("SYNC_STATE_MACHINE_ARN", machine["stateMachineArn"])
        settings.cache_clear()
        forget_clients()
        yield
    settings.cache_clear()
    forget_clients()


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
    from functions.sync.service import cutting, publishing

    monkeypatch.setattr(cutting, "PARTITION_ROWS", 100)
    monkeypatch.setattr(publishing, "ROWS_PER_FILE", 120)
