"""Signed addresses as the local S3 checks them: botocore's own are good, in their time, and no other."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st

from infra.local.aws.signed_addresses import is_signed_address, signature_fault

S3: Any = boto3.Session("ASIAKEY", "secret", region_name="us-east-1").client(
    "s3",
    endpoint_url="http://127.0.0.1:9",
    config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
)


def environ_of(url: str, method: str = "GET", **headers: str) -> dict[str, Any]:
    parts = urlsplit(url)
    raw = f"{parts.path}?{parts.query}"
    return {"REQUEST_METHOD": method, "RAW_URI": raw, "QUERY_STRING": parts.query, "HTTP_HOST": parts.netloc, **headers}


def address(key: str, method: str = "get_object", seconds: int = 60, **parameters: Any) -> str:
    given = {"Bucket": "data", "Key": key, **parameters}
    return str(S3.generate_presigned_url(method, Params=given, ExpiresIn=seconds))


@given(key=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30).filter(str.strip))
def test_an_address_that_botocore_signs_is_good_for_any_key(key: str) -> None:
    environ = environ_of(address(key, ResponseContentDisposition=f'attachment; filename="{key}"'))
    assert is_signed_address(environ)
    assert signature_fault(environ, "secret", datetime.now(UTC)) is None
    assert signature_fault(environ, "another secret", datetime.now(UTC)) is not None


@pytest.mark.parametrize(("after_s", "code"), [(0, None), (59, None), (62, "AccessDenied")])
def test_an_address_ends_after_its_time(after_s: int, code: str | None) -> None:
    fault = signature_fault(environ_of(address("a")), "secret", datetime.now(UTC) + timedelta(seconds=after_s))
    assert (fault.code if fault else None) == code


@pytest.mark.parametrize(
    ("part", "instead"),
    [
        ("X-Amz-Expires=60", "X-Amz-Expires=604801"),
        ("X-Amz-Expires=60", "X-Amz-Expires=soon"),
        ("X-Amz-Date=2", "X-Amz-Date=x"),
        ("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders="),
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"),
        ("s3%2Faws4_request", "iam%2Faws4_request"),
    ],
)
def test_a_malformed_signature_is_said_to_be_one(part: str, instead: str) -> None:
    fault = signature_fault(environ_of(address("a").replace(part, instead)), "secret", datetime.now(UTC))
    assert fault is not None
    assert fault.status == "400 Bad Request"


def test_a_signed_size_is_the_only_one_taken() -> None:
    url = address("a", "put_object", ContentLength=3)
    now = datetime.now(UTC)
    assert signature_fault(environ_of(url, "PUT", CONTENT_LENGTH="3"), "secret", now) is None
    assert signature_fault(environ_of(url, "PUT", CONTENT_LENGTH="4"), "secret", now) is not None
