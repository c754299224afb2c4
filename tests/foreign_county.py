"""A county whose every table has rows of known ids and texts: what another county's callers must never see.

The rows are made from the tables' own columns, and the requests from the API's own description: a table or an
endpoint that is new is attacked without being named here.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import boto3
from sqlalchemy import Column, Table, insert

from infra.functions import REGISTRY
from shared.db import unit_of_work
from shared.db.models import Model
from shared.db.models.property import Box
from shared.storage import county_key
from tests.aws import BUCKET

OTHER = "lucas_oh"
CANARY = "CANARY"
"""A text that only the other county has: an answer that has it has leaked."""
KINDS = tuple(dict.fromkeys(kind.name for kind in REGISTRY.job_kinds))
IDS = tuple(uuid5(NAMESPACE_URL, f"{CANARY}/{kind}") for kind in KINDS)
"""Ids of rows, one a kind of job; the n-th row of each table has the n-th."""
FIRST_YEAR = 1950
CHECKED = {
    ("jobs", "status"): "succeeded",
    ("county_versions", "changed"): "both",
    ("sync_runs", "active"): False,
    ("rejected_rows", "resolution"): None,
    ("valuation_run_results", "refusal"): None,
    ("rolls", "status"): "open",
    ("sale_decisions", "decision"): "valid",
    ("field_overrides", "origin"): "edit",
    ("field_overrides", "ended_why"): None,
    ("district_layers", "kind"): "tax",
    ("district_layers", "geometry_type"): "polygon",
    ("district_layers", "closed_on"): None,
    ("district_layers", "fields"): [{"name": "canary", "title": CANARY, "kind": "text"}],
    ("district_layer_versions", "counts"): {"added": 1},
    ("districts", "valid_to"): None,
    ("notices", "status"): "superseded",
    ("notices", "reasons"): [],
    ("appeals", "status"): "scheduled",
    ("appeals", "ground"): "equity",
    ("appeals", "reason_code"): None,
    ("appeals", "level"): "informal",
    ("appeals", "outcome"): None,
    ("appeal_documents", "content_type"): "application/pdf",
    ("webhook_deliveries", "status"): "delivered",
    ("webhook_deliveries", "type"): "job.succeeded",
    ("webhooks", "events"): ["job.succeeded"],
    ("webhooks", "job_kinds"): None,
    ("roll_check_results", "severity"): "warns",
    ("write_back_rows", "outcome"): "changed",
    ("exemption_grants", "status"): "applied",
    ("exemption_grants", "rule"): {"kind": "amount", "amount": "1000", "authority": CANARY},
    ("exemption_grants", "owners"): [{"name": CANARY, "mailing_address": CANARY}],
    ("exemption_grants", "decided_by"): None,
}
"""Columns whose values the database or a machine restricts."""
ENDINGS = ("retired_at", "superseded_at", "cleared_at", "ended_at", "undone_at", "resolved_at", "undo_id")
"""Columns that end a row: these rows stand."""


def text_of(number: int) -> str:
    """The text of every text column of the n-th row."""
    return f"{CANARY}-{number}"


VALUES: dict[type, Callable[[int], Any]] = {
    str: text_of,
    UUID: IDS.__getitem__,
    object: lambda number: {"text": text_of(number)},
    bytes: lambda number: text_of(number).encode(),
    bool: lambda _: False,
    int: lambda number: number + 1,
    float: lambda number: float(number + 1),
    Decimal: lambda number: Decimal(number + 1),
    datetime: lambda number: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=number),
    date: lambda number: date(2025, 1, 1) + timedelta(days=number),
}
"""The n-th row's value of a column, by the type of it in Python."""


def add_foreign_county() -> None:
    """Add rows to every table of the other county, and its files to the bucket."""
    add_foreign_rows()
    for number, job_id in enumerate(IDS):
        for name in ("results.json", "report.pdf", "file.csv"):
            key = county_key(OTHER, "jobs", str(job_id), name)
            boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=json.dumps({"text": text_of(number)}))
        boto3.client("s3").put_object(
            Bucket=BUCKET, Key=county_key(OTHER, "uploads", f"{text_of(number)}.csv"), Body=b"x"
        )


def add_foreign_rows() -> None:
    """Add rows to every table of the other county."""
    with unit_of_work(OTHER) as connection:
        for table in Model.metadata.sorted_tables:
            rows = [_row(table, number) for number in range(1 if len(table.primary_key) == 1 else len(IDS))]
            connection.execute(insert(table), rows)


def _row(table: Table, number: int) -> dict[str, Any]:
    return {
        column.name: _value(table, column, number)
        for column in table.columns
        if column.identity is None and column.computed is None and column.name not in ENDINGS
    }


def _value(table: Table, column: Column[Any], number: int) -> Any:
    if column.name == "county_id":
        return OTHER
    if (table.name, column.name) in CHECKED:
        return CHECKED[table.name, column.name]
    if (table.name, column.name) == ("jobs", "kind"):
        return KINDS[number]
    if column.name == "roll_year":
        return FIRST_YEAR + number
    if isinstance(column.type, Box):
        return "(1,1),(0,0)"
    return VALUES[column.type.python_type](number)


def bodies(schema: dict[str, Any], schemas: dict[str, Any], text: str, id_: UUID) -> Iterator[Any]:
    """Bodies of a described request: the least one, and one for each place of a text or an id, with ours in it."""
    yield _least(schema, schemas, None, None)
    for path, value in _places(schema, schemas, (), text, id_):
        yield _least(schema, schemas, path, value)


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rsplit("/", 1)[1]]
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return _resolved(schema[several][0], schemas)
    return schema


def _places(
    schema: dict[str, Any], schemas: dict[str, Any], path: tuple[str, ...], text: str, id_: UUID
) -> Iterator[tuple[tuple[str, ...], Any]]:
    schema = _resolved(schema, schemas)
    if len(path) > 4:
        return
    if schema.get("type") == "object":
        for name, part in schema.get("properties", {}).items():
            yield from _places(part, schemas, (*path, name), text, id_)
    elif schema.get("type") == "array":
        yield from _places(schema.get("items", {}), schemas, (*path, "*"), text, id_)
    elif schema.get("type") == "string" and not {"enum", "const"} & set(schema):
        if schema.get("format") == "uuid":
            yield path, str(id_)
        elif "format" not in schema:
            yield path, text


def _least(schema: dict[str, Any], schemas: dict[str, Any], path: tuple[str, ...] | None, value: Any) -> Any:
    """The least value that the schema allows, but for the one at the path."""
    if path == ():
        return value
    schema = _resolved(schema, schemas)
    match schema.get("type"):
        case "object":
            required = set(schema.get("required", ()))
            return {
                name: _least(part, schemas, path[1:] if path and path[0] == name else None, value)
                for name, part in schema.get("properties", {}).items()
                if name in required or (path and path[0] == name)
            }
        case "array":
            inner = path[1:] if path else None
            least = max(schema.get("minItems", 0), 1 if inner is not None else 0)
            return [_least(schema.get("items", {}), schemas, inner, value) for _ in range(least)]
        case "integer" | "number":
            return max(schema.get("minimum", 1), 2025 if schema.get("maximum", 0) >= 2025 else 1)
        case "boolean":
            return False
        case "string":
            return schema.get("const") or next(iter(schema.get("enum", ())), None) or _text(schema)
        case _:
            return None


def _text(schema: dict[str, Any]) -> str:
    match schema.get("format"):
        case "date":
            return "2025-01-01"
        case "date-time":
            return "2025-01-01T00:00:00Z"
        case "uuid":
            return "00000000-0000-4000-8000-000000000000"
    return "10"
