"""A county's files, delivered over HTTP to where its syncs read them."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from sqlalchemy import text

from functions.counties.handler import handler
from shared.access import Role
from shared.db import unit_of_work
from tests.aws import BUCKET, aws_in_this_process
from tests.conftest import MigratedDatabase
from tests.gateway import Answer, call, claims_of
from tests.integration.evidence_county import COUNTY, add_county

FILES = "/v1/counties/{county_id}/files"


@pytest.fixture(autouse=True)
def county(database: MigratedDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with aws_in_this_process(monkeypatch, "sync"):
        add_county()
        yield


def deliver(role: Role = Role.IT_ADMIN, county_id: str = COUNTY, **body: Any) -> Answer:
    sent = {"name": "parcels.csv", "size_bytes": 5} | body
    return call(handler, "POST", FILES, path={"county_id": county_id}, body=sent, claims=claims_of(role))


def test_a_file_is_sent_to_a_signed_address_below_the_countys_prefix_and_listed() -> None:
    given = deliver()

    assert (given.status, given.body["method"]) == (201, "PUT")
    assert f"/counties/{COUNTY}/incoming/parcels.csv?" in given.body["url"]
    assert "content-length" in given.body["url"].lower()  # a larger file is not taken
    boto3.client("s3").put_object(Bucket=BUCKET, Key=f"counties/{COUNTY}/incoming/parcels.csv", Body=b"a,b\r\n")
    boto3.client("s3").put_object(Bucket=BUCKET, Key=f"counties/{COUNTY}/incoming/parts/x", Body=b"not delivered")
    boto3.client("s3").put_object(Bucket=BUCKET, Key="counties/other_wa/incoming/theirs.csv", Body=b"x")
    listed = call(handler, "GET", FILES, path={"county_id": COUNTY}, claims=claims_of(Role.AUDITOR))
    assert [(item["name"], item["size_bytes"], item["prefix"]) for item in listed.body] == [
        ("parcels.csv", 5, "incoming")
    ]
    with unit_of_work(COUNTY) as connection:
        assert connection.scalar(text("SELECT action FROM audit_events")) == "county.file_announced"


@pytest.mark.parametrize(
    "body",
    [
        {"name": "../other_wa/x.csv"},
        {"name": "a/b.csv"},
        {"name": "..\\x"},
        {"name": ""},
        {"prefix": "../x"},
        {"prefix": "sync/x"},
        {"size_bytes": -1},
        {"size_bytes": (5 << 30) + 1},
        {"size_bytes": "5"},
    ],
)
def test_a_name_that_leads_elsewhere_and_a_size_beyond_the_limit_are_refused(body: dict[str, Any]) -> None:
    answer = deliver(**body)

    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, f"/body/{next(iter(body))}")


def test_who_may_not_deliver_is_refused_and_an_unknown_county_is_not_found() -> None:
    assert deliver(Role.AUDITOR).status == 403
    assert deliver(Role.ASSESSOR).status == 201
    assert deliver(county_id="other_wa").status == 403
    unknown = claims_of(Role.IT_ADMIN, ["new_wa"])
    body = {"name": "a.csv", "size_bytes": 1}
    assert call(handler, "POST", FILES, path={"county_id": "new_wa"}, body=body, claims=unknown).status == 404
