"""Stored objects that are lost or damaged are made anew by the next run that needs them."""

from typing import Any
from uuid import UUID

import boto3
import orjson
import pytest

from functions.sync.service import run_views
from shared.settings import settings
from tests.integration.sync.county import COUNTY, County

LATEST = f"counties/{COUNTY}/curated/latest.json"


def spoil(key: str, how: str) -> None:
    s3 = boto3.client("s3")
    if how == "lost":
        s3.delete_object(Bucket=settings().data_bucket, Key=key)
    else:
        s3.put_object(Bucket=settings().data_bucket, Key=key, Body=b"" if how == "empty" else b'{"county_id": 7')


def published(county: County) -> dict[str, Any]:
    tables: dict[str, Any] = orjson.loads(county.object(LATEST))["tables"]
    return {name: (table["rows"], [file["rows"] for file in table["files"]]) for name, table in tables.items()}


@pytest.mark.parametrize("how", ["lost", "damaged", "empty"])
def test_a_manifest_that_cannot_be_read_is_published_anew(county: County, how: str) -> None:
    county.sync()
    before = published(county)
    spoil(LATEST, how)
    county.change("UPDATE sale SET price = '7' WHERE parcel_id = 1")
    run_id, outcome = county.sync()
    assert (outcome, county.job(run_id)[0]) == ("apply", "succeeded")
    assert published(county) == before


def test_a_published_file_that_is_lost_is_written_by_the_next_run_that_publishes(county: County) -> None:
    county.sync()
    key = orjson.loads(county.object(LATEST))["tables"]["properties_operational"]["files"][1]["key"]
    spoil(key, "lost")
    county.change("UPDATE sale SET price = '7' WHERE parcel_id = 1")
    county.sync()
    for table in orjson.loads(county.object(LATEST))["tables"].values():
        for file in table["files"]:
            assert county.object(file["key"])


@pytest.mark.parametrize("how", ["lost", "damaged"])
def test_lost_keys_of_unchanged_partitions_are_read_again(county: County, how: str) -> None:
    county.sync()
    kept = [key for key in county.object_keys("keys/properties_operational/") if key.endswith("part-00001.parquet")]
    spoil(kept[0], how)
    county.change("UPDATE parcel SET value = '$7' WHERE id = 250; DELETE FROM parcel WHERE id = 50")
    run_id, outcome = county.sync()
    assert outcome == "apply"
    counts = run_views.get(COUNTY, UUID(run_id)).tables["properties_operational"]
    assert (counts.changed, counts.removed, counts.added) == (1, 1, 0)
    spoil(kept[0], how)
    county.change("UPDATE parcel SET value = '$8' WHERE id = 250")
    assert county.sync()[1] == "apply"
