"""Previews of a mapping on a geographic file, converted by the function that has GDAL."""

import io
import json
from collections.abc import Callable
from typing import Any

import botocore.exceptions
import pytest
from sqlalchemy import text

from functions.sync.handler import handler as sync_api
from functions.sync.tasks.conversion import convert
from shared import storage
from shared.access import Role
from shared.db import unit_of_work
from shared.sources.files.geographic import sampling
from tests.conftest import MigratedDatabase
from tests.gateway import Answer, LambdaContext, call, claims_of
from tests.integration.sync.test_source_cases import CASES

FOLDER = CASES / "shapefile_redrawn_parcel"
Invoke = Callable[[dict[str, Any]], Any]


class Functions:
    """A stand-in for Lambda's Invoke."""

    def __init__(self, answer: Invoke) -> None:
        self._answer = answer

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's names
        del FunctionName
        try:
            answer, failed = self._answer(json.loads(Payload)), False
        except ZeroDivisionError as error:
            answer, failed = {"errorType": type(error).__name__, "errorMessage": ""}, True
        return {
            "Payload": io.BytesIO(json.dumps(answer).encode()),
            **({"FunctionError": "Unhandled"} if failed else {}),
        }


@pytest.fixture
def county(database: MigratedDatabase, cloud: None) -> str:
    configuration = json.loads((FOLDER / "configuration.json").read_text())
    county_id: str = configuration["county_id"]
    with unit_of_work(county_id) as connection:
        connection.execute(
            text(
                "INSERT INTO counties (county_id, friendly_name, configuration, mapping, version)"
                " VALUES (:county, 'Case', CAST(:configuration AS jsonb), :mapping, 1)"
            ),
            {
                "county": county_id,
                "configuration": json.dumps(configuration),
                "mapping": (FOLDER / "mapping.yaml").read_text(),
            },
        )
    return county_id


def preview(county_id: str, monkeypatch: pytest.MonkeyPatch, answer: Invoke) -> Answer:
    monkeypatch.setattr(sampling, "client", lambda _: Functions(answer))
    names, claims = {"county_id": county_id}, claims_of(Role.IT_ADMIN, [county_id])
    return call(sync_api, "POST", "/v1/counties/{county_id}/mapping/preview", path=names, claims=claims,
                body={"sample_size": 3})  # fmt: skip


def converted(event: dict[str, Any]) -> Any:
    return convert(event, LambdaContext())


def put(county_id: str, content: bytes) -> None:
    storage.put(f"counties/{county_id}/incoming/parcels.zip", content)


def test_some_rows_are_converted_for_a_preview(county: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put(county, (FOLDER / "parcels.zip").read_bytes())
    shown = preview(county, monkeypatch, converted).body
    assert [row["result"]["property_id"] for row in shown["rows"]] == ["20-001", "20-002", "20-003"]
    assert [round(float(row["result"]["longitude"]), 4) for row in shown["rows"]] == [-119.9895, -119.9795, -119.9695]
    assert shown["rejected"] == 0


def test_a_refused_file_has_the_same_problem_in_a_preview_as_in_a_sync(
    county: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(county, b"PK no archive")
    refused = preview(county, monkeypatch, converted)
    assert (refused.status, refused.body["type"]) == (422, "urn:terrafusion:problem:file-unreadable")
    assert "parcels.zip is no zipped Shapefile" in refused.body["detail"]


def out_of_time(_: dict[str, Any]) -> Any:
    raise botocore.exceptions.ReadTimeoutError(endpoint_url="https://lambda")


@pytest.mark.parametrize("answer", [out_of_time, lambda _: 1 // 0], ids=["no answer", "a crash"])
def test_a_function_that_gives_no_sample_is_to_be_tried_again(
    county: str, monkeypatch: pytest.MonkeyPatch, answer: Invoke
) -> None:
    put(county, (FOLDER / "parcels.zip").read_bytes())
    assert preview(county, monkeypatch, answer).status == 503
