"""Socrata's open data by SODA 2.1: keyset paging on the row's `:id`.

https://dev.socrata.com/docs/queries/ and https://dev.socrata.com/docs/app-tokens
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import orjson

from functions.sync.sources.source import (
    Ability,
    Capabilities,
    Extract,
    Key,
    KeyRange,
    Shape,
    Since,
    SourceTable,
    WithoutChangeTracking,
    configured,
)
from functions.sync.sources.texts import as_text, extract_of
from functions.sync.sources.web.client import JsonClient
from shared.geometry import LATITUDE, LONGITUDE, WKB, point_shape, polygon_shape
from shared.geometry import Shape as ShapeTexts
from shared.problems import Unprocessable

if TYPE_CHECKING:
    import polars as pl

PAGE_ROWS = 10_000
_IDS_AT_ONCE = 50_000
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
    ) -> None:
        self._client = JsonClient(address, {"X-App-Token": app_token} if app_token else {}, sleep=sleep)
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

    def shape(self, table: SourceTable) -> Shape:
        columns = self._types(table)
        placed = {WKB: "geometry", LONGITUDE: "float", LATITUDE: "float"} if _geometry(columns) else {}
        return Shape({**columns, **placed})

    def count(self, table: SourceTable) -> int:
        (row,) = self._rows(table, {"$select": "count(*) AS row_count", **self._where(table)})
        return int(row["row_count"])

    def cut(self, table: SourceTable, rows: int) -> tuple[int, list[Key]]:
        total, last, ends = 0, "", list[Key]()
        for page in self._pages(table, KeyRange(None, None), ":id", _IDS_AT_ONCE):
            for row in page:
                if total and total % rows == 0:
                    ends.append([last])
                total, last = total + 1, row[":id"]
        return total, ends

    def read(self, table: SourceTable, shape: Shape, keys: KeyRange) -> Extract:
        pages = self._pages(table, keys, _EVERYTHING, PAGE_ROWS)
        return extract_of(self._frame(table, list(shape.columns), [row for page in pages for row in page]))

    def sample(self, table: SourceTable, rows: int) -> pl.DataFrame:
        columns = list(self.shape(table).columns)
        return self._frame(table, columns, next(self._pages(table, KeyRange(None, None), _EVERYTHING, rows), []))

    def keys(self, table: SourceTable, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        import polars as pl

        types = self._types(table)
        select = ", ".join(dict.fromkeys([":id", *columns]))
        for page in self._pages(table, KeyRange(None, None), select, _IDS_AT_ONCE):
            rows = [_texts(row, types, columns) for row in page]
            yield pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")

    def watermark(self, table: SourceTable, field: str) -> str | None:
        kind = self._types(table).get(field)
        if kind not in _SORTED:
            raise Unprocessable(
                f"{field} cannot be a watermark: it is {kind or 'no column of the dataset'}, not a time or a number.",
                slug="watermark-unsorted",
            )
        found = self._rows(table, {"$select": f"max({field}) AS highest"})
        return as_text(found[0].get("highest")) if found else None

    def close(self) -> None:
        self._client.close()

    def _frame(self, table: SourceTable, columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
        import polars as pl

        types = self._types(table)
        texts = [_texts(row, types, columns) for row in rows]
        return pl.DataFrame(texts, schema=dict.fromkeys(columns, pl.String), orient="row")

    def _types(self, table: SourceTable) -> dict[str, str]:
        """The columns of a dataset; Socrata's own regions (`:@computed_...`) are none of the county's."""
        dataset = self._dataset(table)
        if dataset not in self._columns:
            found = self._client.get(f"/api/views/{dataset}.json", {}, _refused)
            columns = {column["fieldName"]: column["dataTypeName"] for column in found.get("columns") or []}
            own = {name: kind for name, kind in columns.items() if not name.startswith(":")}
            self._columns[dataset] = {**_SYSTEM, **own}
        return self._columns[dataset]

    def _dataset(self, table: SourceTable) -> str:
        if table.query is not None:
            self.capabilities.refuse(Ability.QUERY)
        return configured(self._datasets, table.table_name or "")

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
        rows: list[dict[str, Any]] = self._client.get(f"/resource/{self._dataset(table)}.json", parameters, _refused)
        return rows


def _refused(status: int, body: Any) -> str | None:
    if status == 200:
        return None
    said = body.get("message") if isinstance(body, dict) else None
    if status in {401, 403}:
        return f"it refuses us ({status}); is the app token valid, and the dataset public?"
    return f"{str(said)[:200].rstrip('.')} ({status})" if said else f"it answers {status}"


def _geometry(columns: Mapping[str, str]) -> str | None:
    return next((name for name, kind in columns.items() if kind in _SHAPES), None)


def _texts(row: Mapping[str, Any], types: Mapping[str, str], columns: Sequence[str]) -> list[str | None]:
    """A row's texts; a field that it lacks is NULL."""
    placed: dict[str, str | None] = {}
    geometry = _geometry(types)
    if geometry is not None:
        placed = dict(zip((WKB, LONGITUDE, LATITUDE), _placed(row.get(geometry)), strict=True))
    return [placed[name] if name in placed else _text(row.get(name)) for name in columns]


def _text(value: Any) -> str | None:
    return orjson.dumps(value).decode() if isinstance(value, (dict, list)) else as_text(value)


def _placed(shape: Any) -> ShapeTexts:
    """GeoJSON's coordinates."""
    if not isinstance(shape, dict) or not shape.get("coordinates"):
        return None, None, None
    coordinates = shape["coordinates"]
    match shape.get("type"):
        case "Point":
            return point_shape((float(coordinates[0]), float(coordinates[1])))
        case "Polygon":
            return polygon_shape(_clockwise([coordinates]))
        case "MultiPolygon":
            return polygon_shape(_clockwise(coordinates))
        case _:
            return None, None, None


def _clockwise(polygons: Any) -> Iterator[list[tuple[float, float]]]:
    """Rings turned the way in which `polygon_shape` tells outer from inner ones: the first of each is outer."""
    for rings in polygons:
        for index, ring in enumerate(rings):
            points = [(float(point[0]), float(point[1])) for point in ring]
            turns = sum((b[0] - a[0]) * (b[1] + a[1]) for a, b in pairwise(points))
            yield points if (turns > 0) == (index == 0) else points[::-1]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
