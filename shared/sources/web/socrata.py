"""Socrata's open data by SODA 2.1: keyset paging on the row's `:id`.

https://dev.socrata.com/docs/queries/ and https://dev.socrata.com/docs/app-tokens
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import polars as pl

from shared.contracts.source_rows import Key
from shared.geo.geometry import LATITUDE, LONGITUDE, WKB, point_shape, polygon_shape
from shared.geo.geometry import Shape as ShapeTexts
from shared.mapping import value_fault
from shared.problems import SourceRefused, Unprocessable
from shared.sources.network import Timeouts
from shared.sources.source import (
    Ability,
    Capabilities,
    Extract,
    KeyRange,
    Sample,
    Since,
    SourceTable,
    TableSchema,
    WithoutChangeTracking,
    table_description,
)
from shared.sources.text_values import as_text, plain_number, to_extract, with_value_faults
from shared.sources.web.client import JsonClient
from shared.sources.web.geometries import NO_GEOMETRY, read_geometry_texts

PAGE_ROWS = 10_000
"""Rows of a request. A choice: some megabytes of JSON with geometries; SODA 2.1 has no limit."""
_IDS_BATCH_SIZE = 50_000
"""Rows of a request for identifiers or a few columns. SODA 2.0's maximum."""
_SYSTEM = {":id": "row_identifier", ":created_at": "fixed_timestamp", ":updated_at": "fixed_timestamp"}
_EVERYTHING = f"{', '.join(_SYSTEM)}, *"
_SHAPES = {"point", "polygon", "multipolygon"}
_SORTED = {"fixed_timestamp", "floating_timestamp", "calendar_date", "date", "number"}


class SocrataSource(WithoutChangeTracking):
    """Datasets of one site. Beside a dataset's own columns each row has `:id`, `:created_at` and `:updated_at`."""

    def __init__(
        self,
        address: str,
        datasets: Mapping[str, str],
        app_token: str | None,
        *,
        sleep: Callable[[float], None] = time.sleep,
        timeouts: Timeouts | None = None,
    ) -> None:
        headers = {"X-App-Token": app_token} if app_token else {}
        self._client = JsonClient(address, headers, sleep=sleep, timeouts=timeouts)
        self._datasets = datasets
        self._columns: dict[str, dict[str, str]] = {}

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            {
                Ability.QUERY: "a Socrata site has datasets: name one with source_table_name",
                Ability.KEY_RANGES: "rows of a dataset that is published anew get new identifiers",
                Ability.CHANGE_TRACKING: "Socrata does not tell deleted rows; use :updated_at as watermark, or the"
                " mode snapshot",
            }
        )

    def schema(self, table: SourceTable) -> TableSchema:
        columns = self._types(table)
        placed = {WKB: "geometry", LONGITUDE: "float", LATITUDE: "float"} if _geometry(columns) else {}
        return TableSchema({**columns, **placed})

    def count(self, table: SourceTable) -> int:
        rows = self._rows(table, {"$select": "count(*) AS row_count", **self._where(table)})
        try:
            return int(rows[0]["row_count"])
        except (LookupError, TypeError, ValueError):
            raise SourceRefused(f"{table.table_name}: the site's answer has no count of rows.") from None

    def cut(self, table: SourceTable, rows: int) -> tuple[int, list[Key]]:
        total, last, ends = 0, "", list[Key]()
        for page in self._pages(table, KeyRange(None, None), ":id", _IDS_BATCH_SIZE):
            for row in page:
                if total and total % rows == 0:
                    ends.append([last])
                total, last = total + 1, row[":id"]
        return total, ends

    def read(self, table: SourceTable, schema: TableSchema, keys: KeyRange) -> Extract:
        pages = self._pages(table, keys, _EVERYTHING, PAGE_ROWS)
        return to_extract(self._frame(table, list(schema.columns), [row for page in pages for row in page]))

    def sample(self, table: SourceTable, rows: int) -> Sample:
        types = self.schema(table).columns
        page = next(self._pages(table, KeyRange(None, None), _EVERYTHING, rows), [])
        return Sample(self._frame(table, list(types), page), types)

    def keys(self, table: SourceTable, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        types = self._types(table)
        select = ", ".join(dict.fromkeys([":id", *columns]))
        for page in self._pages(table, KeyRange(None, None), select, _IDS_BATCH_SIZE):
            rows = [_read(row, types, columns)[0] for row in page]
            yield pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")

    def watermark(self, table: SourceTable, field: str) -> str | None:
        kind = self._types(table).get(field)
        if kind not in _SORTED:
            raise Unprocessable(
                f"{field} cannot be a watermark: it is {kind or 'no column of the dataset'}, not a time or a number.",
                slug="watermark-unsorted",
            )
        rows = self._rows(table, {"$select": f"max({field}) AS highest"})
        return as_text(rows[0].get("highest")) if rows else None

    def close(self) -> None:
        self._client.close()

    def _frame(self, table: SourceTable, columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
        types = self._types(table)
        read = [_read(row, types, columns) for row in rows]
        frame = pl.DataFrame([texts for texts, _ in read], schema=dict.fromkeys(columns, pl.String), orient="row")
        return with_value_faults(frame, [_faults(fault) for _, fault in read])

    def _types(self, table: SourceTable) -> dict[str, str]:
        """The columns of a dataset, without the regions that Socrata computes (`:@computed_...`)."""
        dataset = self._dataset(table)
        if dataset not in self._columns:
            answer = self._client.get(f"/api/views/{dataset}.json", {}, _refused)
            described = answer.get("columns") if isinstance(answer, dict) else None
            if not described:
                raise SourceRefused(f"{table.table_name}: the site does not say which columns dataset {dataset} has.")
            columns = {column["fieldName"]: column["dataTypeName"] for column in described}
            own = {name: kind for name, kind in columns.items() if not name.startswith(":")}
            self._columns[dataset] = {**_SYSTEM, **own}
        return self._columns[dataset]

    def _dataset(self, table: SourceTable) -> str:
        if table.query is not None:
            self.capabilities.refuse(Ability.QUERY)
        return table_description(self._datasets, table.table_name or "")

    def _where(self, table: SourceTable, *terms: str) -> dict[str, str]:
        conditions = list(terms)
        match table.since:
            case Since(field, value):
                kind = self._types(table).get(field)
                if kind not in _SORTED:
                    raise Unprocessable(f"{field} cannot be a watermark: it is {kind}.", slug="watermark-unsorted")
                literal = repr(float(value)) if kind == "number" else _quoted(value.replace(" ", "T"))
                conditions.append(f"{field} >= {literal}")
            case None:
                pass
            case _:
                self.capabilities.refuse(Ability.CHANGE_TRACKING)
        return {"$where": " AND ".join(conditions)} if conditions else {}

    def _pages(self, table: SourceTable, keys: KeyRange, select: str, rows: int) -> Iterator[list[dict[str, Any]]]:
        lower = keys.lower
        while True:
            terms = [f":id > {_quoted(str(lower[0]))}"] if lower is not None else []
            terms += [f":id <= {_quoted(str(keys.upper[0]))}"] if keys.upper is not None else []
            page = self._rows(
                table,
                {"$select": select, "$order": ":id", "$limit": str(rows), **self._where(table, *terms)},
            )
            if page:
                yield page
            if len(page) < rows:
                return
            lower = [page[-1][":id"]]

    def _rows(self, table: SourceTable, parameters: Mapping[str, str]) -> list[dict[str, Any]]:
        rows = self._client.get(f"/resource/{self._dataset(table)}.json", parameters, _refused)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise SourceRefused(f"{table.table_name}: the site's answer is no list of rows.")
        return rows


def _faults(fault: str | None) -> list[str]:
    return [value_fault(name, fault) for name in (WKB, LONGITUDE, LATITUDE)] if fault else []


def _refused(status: int, body: Any) -> str | None:
    if status == 200:
        return None
    message = body.get("message") if isinstance(body, dict) else None
    if status in {401, 403}:
        return f"it refuses us ({status}); is the app token valid, and the dataset public?"
    return f"{str(message)[:200].rstrip('.')} ({status})" if message else f"it answers {status}"


def _geometry(columns: Mapping[str, str]) -> str | None:
    return next((name for name, kind in columns.items() if kind in _SHAPES), None)


def _read(row: Mapping[str, Any], types: Mapping[str, str], columns: Sequence[str]) -> tuple[list[str | None], str]:
    """A row's texts, with NULL for fields that it lacks, and the fault of its geometry."""
    placed: dict[str, str | None] = {}
    fault = ""
    geometry = _geometry(types)
    if geometry is not None:
        read = _shape(row.get(geometry))
        shape, fault = (NO_GEOMETRY, read) if isinstance(read, str) else (read, "")
        placed = dict(zip((WKB, LONGITUDE, LATITUDE), shape, strict=True))
    texts = [placed[name] if name in placed else _text(row.get(name), types.get(name)) for name in columns]
    return texts, fault


def _text(value: Any, kind: str | None) -> str | None:
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if kind == "number" and isinstance(value, str):
        return plain_number(value)
    return as_text(value)


def _shape(shape: Any) -> ShapeTexts | str:
    """GeoJSON's coordinates as the columns of a geometry, or the fault as a message."""
    if shape is None or (isinstance(shape, dict) and not shape.get("coordinates")):
        return NO_GEOMETRY
    kind, coordinates = (shape.get("type"), shape["coordinates"]) if isinstance(shape, dict) else (None, ())
    match kind:
        case "Point":
            return read_geometry_texts([[coordinates]], lambda rings: point_shape(rings[0][0]))
        case "Polygon" | "MultiPolygon":
            polygons = [coordinates] if kind == "Polygon" else coordinates
            outer = [index == 0 for rings in polygons for index, _ in enumerate(rings)]
            return read_geometry_texts(
                (ring for rings in polygons for ring in rings),
                lambda rings: polygon_shape(map(_oriented, rings, outer)),
            )
        case _:
            return f"the shape is {kind or 'no object'}, and parcels are points or polygons"


def _oriented(ring: list[tuple[float, float]], outer: bool) -> list[tuple[float, float]]:
    """A ring in the orientation by which `polygon_shape` distinguishes outer and inner rings."""
    turns = sum((b[0] - a[0]) * (b[1] + a[1]) for a, b in pairwise(ring))
    return ring if (turns > 0) == outer else ring[::-1]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
