"""Signed addresses of objects name the bucket's region: the global address redirects, and the signature is lost."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from shared.aws import forget_clients
from shared.settings import settings
from shared.storage import signed_url

ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3")


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    for name, value in {
        "AWS_DEFAULT_REGION": "us-west-2",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "DATA_BUCKET": "county-data",
    }.items():
        monkeypatch.setenv(name, value)
    for name in (*ENDPOINTS, "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    settings.cache_clear()
    forget_clients()
    yield monkeypatch
    settings.cache_clear()
    forget_clients()


def test_an_address_names_the_buckets_own_region(bucket: pytest.MonkeyPatch) -> None:
    address = urlsplit(signed_url("counties/benton_wa/roll.csv", "roll.csv", "text/csv"))

    assert address.netloc == "county-data.s3.us-west-2.amazonaws.com"


@pytest.mark.parametrize("variable", ENDPOINTS)
def test_an_endpoint_of_the_environments_has_the_bucket_in_its_path(variable: str, bucket: pytest.MonkeyPatch) -> None:
    bucket.setenv(variable, "http://127.0.0.1:5000")

    address = urlsplit(signed_url("counties/benton_wa/roll.csv", "roll.csv", "text/csv"))

    assert (address.netloc, address.path) == ("127.0.0.1:5000", "/county-data/counties/benton_wa/roll.csv")
