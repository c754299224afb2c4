"""AWS around what is tested: S3 with the data bucket, and a state machine that only notes what was started."""

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import pytest
from moto import mock_aws

from shared.aws import forget_clients
from shared.settings import settings

BUCKET = "terrafusion-data"
CREDENTIALS = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}


@contextmanager
def aws_in_this_process(patch: pytest.MonkeyPatch, machine: str) -> Iterator[None]:
    """Both by moto, for as long as the context lasts; the machine is `jobs` or `sync`."""
    for name, value in {**CREDENTIALS, "DATA_BUCKET": BUCKET}.items():
        patch.setenv(name, value)
    patch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        make_machine(patch, machine)
        settings.cache_clear()
        forget_clients()
        yield
    settings.cache_clear()
    forget_clients()


def schedule_group(patch: pytest.MonkeyPatch) -> str:
    """Make a group of schedules, and put what schedules need where functions look for it."""
    boto3.client("scheduler").create_schedule_group(Name="jobs")
    for name, value in (
        ("JOB_SCHEDULE_GROUP_NAME", "jobs"),
        ("JOB_SCHEDULE_ROLE_ARN", "arn:aws:iam::123456789012:role/scheduler"),
        ("JOB_SCHEDULE_TARGET_ARN", "arn:aws:lambda:us-east-1:123456789012:function:start"),
        ("JOB_SCHEDULE_DEAD_LETTERS_ARN", "arn:aws:sqs:us-east-1:123456789012:dead"),
    ):
        patch.setenv(name, value)
    settings.cache_clear()
    return "jobs"


def make_machine(patch: pytest.MonkeyPatch, name: str) -> None:
    """Make the state machine, and put its ARN where functions look for it."""
    machine = boto3.client("stepfunctions").create_state_machine(
        name=name,
        definition='{"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}',
        roleArn=f"arn:aws:iam::123456789012:role/{name}",
    )
    patch.setenv(f"{name.upper()}_STATE_MACHINE_ARN", machine["stateMachineArn"])
