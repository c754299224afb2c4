"""Every list in every format: the files hold what the pages of JSON hold, for whoever may read them."""

import base64
import collections.abc
import csv
import importlib
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args, get_origin
from uuid import UUID

import boto3
import httpx
import polars as pl
import pytest
from openpyxl import load_workbook
from pydantic import BaseModel
from sqlalchemy import text, update

from infra.functions import REGISTRY
from infra.local.postgres import LocalPostgres
from infra.openapi import document
from shared.api import Api, Route, list_formats
from shared.api.list_formats import LIST_TYPES
from shared.db import unit_of_work
from shared.db.models import PropertyOperational
from shared.tables.columns import columns_of, rows_of
from shared.tables.parquet_file import write_parquet
from tests.aws import BUCKET, aws_in_this_process, make_machine
from tests.conftest import database_like
from tests.foreign_county import IDS, OTHER, add_foreign_county, text_of
from tests.gateway import Answer, LambdaContext, call, claims_of, proxy_event
from tests.integration.evidence_county import COUNTY, add_county, add_evidence

JSON, CSV, XLSX, PARQUET = LIST_TYPES
LISTS = [
    (api, route)
    for api in (importlib.import_module(spec.module_path).api for spec in REGISTRY.api)
    for route in api.routes
    if route.items is not None
]
ALL = pytest.mark.parametrize(("api", "route"), LISTS, ids=lambda value: getattr(value, "path", ""))
PROPERTIES = "/v1/counties/{county_id}/properties"
CLAIMS = claims_of(counties=[COUNTY, OTHER])
PATH = {"county_id": COUNTY}


def properties(**options: Any) -> Answer:
    from functions.properties.handler import handler

    return call(handler, "GET", PROPERTIES, **{"path": PATH, "claims": CLAIMS, **options})


def file_of(api: Api, route: Route, media_type: str, **options: Any) -> bytes:
    """The content of a list's file."""
    event = proxy_event("GET", route.path, headers={"accept": media_type}, claims=CLAIMS, **options)
    answer = api.handler(event, LambdaContext())
    assert answer["statusCode"] == 200, answer
    body = answer["body"]
    return base64.b64decode(body) if answer["isBase64Encoded"] else str(body).encode()


@pytest.fixture(scope="module", autouse=True)
def counties(postgres_server: LocalPostgres, migrated_template: str) -> Iterator[None]:
    """A county with parcels and sales, and one with rows in every table."""
    with (
        pytest.MonkeyPatch.context() as patch,
        database_like(migrated_template, postgres_server, patch),
        aws_in_this_process(patch, "jobs"),
    ):
        make_machine(patch, "sync")
        add_county()
        add_evidence()
        add_foreign_county()
        yield


def pages_of(api: Api, route: Route, path: dict[str, str], query: dict[str, str]) -> list[dict[str, Any]]:
    """The items of all pages of JSON."""
    found: list[dict[str, Any]] = []
    token: dict[str, str] = {}
    while True:
        answer = call(api.handler, "GET", route.path, path=path, query={**query, **token}, claims=CLAIMS)
        assert answer.status == 200, answer
        body = answer.body if isinstance(answer.body, dict) else {"items": answer.body}
        found += body["items"]
        if body.get("next_page_token") is None:
            return found
        token = {"page_token": body["next_page_token"]}


def flattened(item: dict[str, Any], columns: list[str]) -> list[Any]:
    """The values of an item of JSON in the order of columns with dotted names."""
    return [_value(item, column.split(".")) for column in columns]


def _value(item: Any, path: list[str]) -> Any:
    for name in path:
        if item is None:
            return None
        item = item.get(name)
    return item


def as_json(value: Any) -> Any:
    """A cell of a Parquet file as the value in JSON."""
    match value:
        case Decimal():
            return str(value)
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case _:
            return value


def same(cell: Any, value: Any) -> bool:
    if isinstance(value, (dict, list)):
        return bool(json.loads(cell) == value)
    if isinstance(cell, str) and isinstance(value, str) and cell != value:
        try:
            return Decimal(cell) == Decimal(value)
        except ArithmeticError:
            return datetime.fromisoformat(cell) == datetime.fromisoformat(value)
    return bool(cell == value)


@ALL
def test_a_file_holds_every_item_of_every_page(api: Api, route: Route) -> None:
    """Of the county that has rows in every table; each id of a path is tried."""
    described = document()["paths"][route.path]["get"].get("parameters", ())
    query = {p["name"]: "2025-01-01" for p in described if p["in"] == "query" and p.get("required")}
    if "from" in query:
        query |= {"from": "2024-01-01", "to": "2025-12-31"}
    names = [p["name"] for p in described if p["in"] == "path" and p["name"] != "county_id"]
    uuids = {p["name"] for p in described if p.get("schema", {}).get("format") == "uuid"}
    compared = 0
    for number in range(len(IDS)):
        path = {"county_id": OTHER, **{name: str(IDS[number]) if name in uuids else text_of(number) for name in names}}
        if "roll_year" in names:
            path["roll_year"] = str(1950 + number)
        if call(api.handler, "GET", route.path, path=path, query=query, claims=CLAIMS).status != 200:
            continue
        items = pages_of(api, route, path, query)
        frame = pl.read_parquet(io.BytesIO(file_of(api, route, PARQUET, path=path, query=query)))
        assert len(frame) == len(items)
        for row, item in zip(frame.rows(), items, strict=True):
            expected = flattened(item, frame.columns)
            wrong = [
                (name, cell, value)
                for name, cell, value in zip(frame.columns, map(as_json, row), expected, strict=True)
                if not same(cell, value)
            ]
            assert wrong == []
        heading, *lines = csv.reader(io.StringIO(file_of(api, route, CSV, path=path, query=query).decode(), newline=""))
        assert (heading, len(lines)) == (frame.columns, len(items))
        sheet = load_workbook(io.BytesIO(file_of(api, route, XLSX, path=path, query=query))).active
        assert sheet is not None
        assert [cell.value for cell in sheet[1]] == frame.columns
        compared += len(items)
        if not names:
            break
    assert bool(compared) == (route.path not in UNREADABLE)


_RUN = "/v1/counties/{county_id}/sync-runs"
UNREADABLE = (
    "/v1/counties",
    "/v1/counties/{county_id}/files",
    "/v1/counties/{county_id}/jobs",
    "/v1/counties/{county_id}/job-schedules",
    "/v1/counties/{county_id}/uploads/{upload_id}/changes",
    *(_RUN + rest for rest in ("", *(f"/{{run_id}}/{part}" for part in ("partitions", "changes", "rejected-rows")))),
    *(f"{_RUN}/{{run_id}}/{part}" for part in ("findings", "warnings")),
    "/v1/counties/{county_id}/valuation-models",
    "/v1/counties/{county_id}/valuation-runs",
    "/v1/counties/{county_id}/valuation-runs/{run_id}/results",
    "/v1/counties/{county_id}/sales-flags",
    "/v1/counties/{county_id}/users",
    "/v1/counties/{county_id}/notice-batches/{batch_id}/files",
    "/v1/counties/{county_id}/district-layers/{layer}/parcels",
    "/v1/counties/{county_id}/write-backs/{write_back_id}/rows",
    "/v1/counties/{county_id}/exemptions/findings",
)
"""Lists of which the county has nothing, or rows whose JSON has not the form of theirs: see the test below."""


@ALL
def test_the_columns_of_a_list_hold_what_the_json_of_an_item_says(api: Api, route: Route, tmp_path: Path) -> None:
    """Of every list's schema, with made-up values in every field, and with none."""
    assert route.items is not None
    items = [example_of(route.items, number) for number in (0, 1, 2)]
    columns = columns_of(route.items)
    names = [column.name for column in columns]
    path = tmp_path / "list.parquet"
    write_parquet(columns, rows_of(columns, items), path)

    read = pl.read_parquet(path)

    assert len(set(names)) == len(names)
    for row, item in zip(read.rows(), items, strict=True):
        expected = flattened(item.model_dump(mode="json", warnings=False), names)
        for name, cell, value in zip(names, map(as_json, row), expected, strict=True):
            assert same(cell, value), (name, cell, value)


def example_of(annotation: Any, number: int) -> Any:
    """A value of a type: what may be None is, in every second one."""
    if getattr(annotation, "__metadata__", None) is not None:
        return example_of(annotation.__origin__, number)
    arguments = get_args(annotation)
    if type(None) in arguments:
        first = next(part for part in arguments if part is not type(None))
        return None if number % 2 else example_of(first, number)
    origin = get_origin(annotation)
    if origin in (list, tuple):
        return origin([example_of(arguments[0], number)])
    if origin in (dict, collections.abc.Mapping):
        return {example_of(arguments[0], number): example_of(arguments[1], number)}
    if origin is not None:  # a Literal, or a union of which any will do
        return arguments[0] if isinstance(arguments[0], str) else example_of(arguments[0], number)
    if annotation in EXAMPLES:
        return EXAMPLES[annotation](number)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields.items()
        return annotation.model_construct(**{name: example_of(field.annotation, number) for name, field in fields})
    return f"={number}"


EXAMPLES: dict[Any, Any] = {
    str: lambda number: f"=text {number}",
    int: lambda number: number,
    bool: lambda number: bool(number),
    float: lambda number: number / 3,
    Decimal: lambda number: Decimal(number) / 4,
    UUID: lambda number: UUID(int=number),
    date: lambda number: date(2025, 1, 1 + number),
    datetime: lambda number: datetime(2025, 1, 1 + number, 23, 59, tzinfo=UTC),
    Any: lambda number: [number],
}


def test_a_file_holds_the_whole_list_and_not_a_page() -> None:
    answer = properties(headers={"accept": CSV}, query={"page_size": "10"})

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="king_wa-properties.csv"'
    assert answer.headers["vary"] == "Accept"
    assert len(list(csv.reader(io.StringIO(answer.body, newline="")))) == 501


def test_a_filter_holds_for_the_file_too() -> None:
    answer = properties(headers={"accept": CSV}, query={"parcel_number": "nobody's"})

    assert answer.body.count("\r\n") == 1


def test_a_page_of_a_file_is_refused() -> None:
    token = properties(query={"page_size": "10"}).body["next_page_token"]

    answer = properties(headers={"accept": CSV}, query={"page_token": token})

    assert (answer.status, answer.body["type"]) == (400, "urn:terrafusion:problem:page-of-a-file")


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("text/*", CSV),
        ("text/csv", CSV),
        ("TEXT/CSV ; charset=utf-8", CSV),
        ("text/csv, */*", CSV),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", JSON),
        ("application/json;q=0.5, text/csv;q=0.6", CSV),
        ("text/csv;q=0, */*", JSON),
        ("application/json;q=0, */*;q=0.1, application/vnd.apache.parquet;q=0", CSV),
        ("nonsense, text/csv", CSV),
    ],
)
def test_the_format_is_the_one_that_accept_prefers(accept: str | None, chosen: str) -> None:
    answer = properties(headers={} if accept is None else {"accept": accept}, query={"parcel_number": "x"})

    assert answer.headers["content-type"].partition(";")[0] == chosen


@pytest.mark.parametrize(
    "accept", ["text/html", "application/pdf", "nonsense", "text/csv;q=0", "text/csv;q=2", "é/è", ",;,", "x" * 5000]
)
def test_a_request_that_accepts_no_format_is_refused_with_those_that_there_are(accept: str) -> None:
    answer = properties(headers={"accept": accept})

    assert (answer.status, answer.body["type"]) == (406, "urn:terrafusion:problem:not-acceptable")
    assert all(media_type in answer.body["detail"] for media_type in LIST_TYPES)


def test_a_file_that_is_larger_than_an_answer_is_at_a_signed_address_until_tomorrow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inline = file_of(*_properties(), PARQUET, path=PATH)
    monkeypatch.setattr(list_formats, "MAX_ANSWER_BYTES", 1000)

    answer = properties(headers={"accept": PARQUET})

    assert answer.status == 303
    key = httpx.URL(answer.headers["location"]).path.removeprefix(f"/{BUCKET}").lstrip("/")
    stored = boto3.client("s3").get_object(Bucket=BUCKET, Key=key)
    assert stored["Body"].read() == inline
    assert key.startswith(f"counties/{COUNTY}/lists/")
    tags = boto3.client("s3").get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"]
    assert tags == [{"Key": "keep", "Value": "for-a-day"}]


def _properties() -> tuple[Api, Route]:
    return next((api, route) for api, route in LISTS if route.path == PROPERTIES)


def test_a_list_of_more_rows_than_a_file_holds_is_refused_and_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_formats, "MAX_ROWS", 499)

    answer = properties(headers={"accept": CSV})

    assert (answer.status, answer.body["type"]) == (422, "urn:terrafusion:problem:list-too-long")
    assert "499" in answer.body["detail"]


def test_a_list_of_just_as_many_rows_as_a_file_holds_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_formats, "MAX_ROWS", 500)

    assert properties(headers={"accept": CSV}).status == 200


def test_a_formula_of_the_county_is_a_text_in_every_file() -> None:
    formula = "=HYPERLINK(1)"
    change = update(PropertyOperational).where(PropertyOperational.property_id == "P0000")
    with unit_of_work(COUNTY) as connection:
        before = connection.scalar(text("SELECT situs_city FROM properties_operational WHERE property_id = 'P0000'"))
        connection.execute(change.values(situs_city=formula))
    try:
        (first, *_) = csv.DictReader(io.StringIO(file_of(*_properties(), CSV, path=PATH).decode(), newline=""))
        sheet = load_workbook(io.BytesIO(file_of(*_properties(), XLSX, path=PATH))).active
        frame = pl.read_parquet(io.BytesIO(file_of(*_properties(), PARQUET, path=PATH)))
    finally:
        with unit_of_work(COUNTY) as connection:
            connection.execute(change.values(situs_city=before))

    assert first["situs_city"] == "'" + formula
    assert sheet is not None
    cell = next(cell for cell in sheet[2] if cell.value == formula)
    assert cell.data_type == "s"
    assert frame["situs_city"][0] == formula
