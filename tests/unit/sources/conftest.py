"""Fixtures: S3 for sources of files."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from shared.aws import forget_clients
from shared.settings import settings


@pytest.fixture(scope="module", autouse=True)
def bucket() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "x")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("DATA_BUCKET", "data")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        settings.cache_clear()
        forget_clients()
        boto3.client("s3").create_bucket(Bucket="data")
        yield
    settings.cache_clear()
    forget_clients()
