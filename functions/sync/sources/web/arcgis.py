"""ArcGIS REST services, feature and map: how most counties publish their parcels.

https://developers.arcgis.com/rest/services-reference/enterprise/query-feature-service-layer/
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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
from functions.sync.sources.web.client import REFUSED, BusyError, JsonClient
from shared.geometry import LATITUDE, LONGITUDE, WKB, point_shape, polygon_shape
from shared.geometry import Shape as ShapeTexts
from shared.problems import SourceUnavailable, Unprocessable

if TYPE_CHECKING:
    import polars as pl

_KEYS_AT_ONCE = 100_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHAPES = {"esriGeometryPoint", "esriGeometryPolygon"}
_NUMBERS = {
    "esriFieldTypeOID", "esriFieldTypeInteger", "esriFieldTypeSmallInteger", "esriFieldTypeBigInteger",
    "esriFieldTypeDouble", "esriFieldTypeSingle",
}  # fmt: skip
_DATE = "esriFieldTypeDate"


@dataclass(frozen=True)
class _Layer:
    path: str
    fields: dict[str, str]
    object_id: str
    page: int
    geometry: str | None
    statistics: bool


class ArcGisSource(WithoutChangeTracking):
    """Layers of one service, cut by object ids. A page that the server finds too large is asked for in halves."""

    def __init__(
        self,
        url: str,
        layers: Mapping[str, int],
        token: str | None,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        headers = {"X-Esri-Authorization": f"Bearer {token}"} if token else {}
        self._client = JsonClient(url, headers, sleep=sleep)
        self._layers = layers
        self._known: dict[str, _Layer] = {}

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            {
                Ability.QUERY: "an ArcGIS service has layers: name one with source_table_name",
                Ability.CHANGE_TRACKING: "an ArcGIS service does not tell deleted features by version; use a date"
                " field of edits as watermark, or the mode snapshot",
            }
        )

    def shape(self, table: SourceTable) -> Shape:
        layer = self._layer(table)
        columns = dict(layer.fields)
        if layer.geometry is not None:
            columns |= {WKB: layer.geometry, LONGITUDE: "float", LATITUDE: "float"}
        return Shape(columns)

    def count(self, table: SourceTable) -> int:
        layer = self._layer(table)
        return int(self._query(layer, where=_where(layer, table), returnCountOnly="true")["count"])

    def cut(self, table: SourceTable, rows: int) -> tuple[int, list[Key]]:
        layer = self._layer(table)
        ids = self._ids(layer, _where(layer, table))
        return len(ids), [[ids[place - 1]] for place in range(rows, len(ids), rows)]

    def read(self, table: SourceTable, shape: Shape, keys: KeyRange) -> Extract:
        layer = self._layer(table)
        return extract_of(self._frame(layer, self._ids(layer, _where(layer, table, keys)), list(shape.columns)))

    def sample(self, table: SourceTable, rows: int) -> pl.DataFrame:
        layer, shape = self._layer(table), self.shape(table)
        return self._frame(layer, self._ids(layer, _where(layer, table))[:rows], list(shape.columns))

    def keys(self, table: SourceTable, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        import polars as pl

        layer = self._layer(table)
        ids = self._ids(layer, _where(layer, table))
        for start in range(0, len(ids), _KEYS_AT_ONCE):
            found = self._features(layer, ids[start : start + _KEYS_AT_ONCE], columns, shapes=False)
            rows = [_attributes(feature, layer, columns) for feature in found]
            yield pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")

    def watermark(self, table: SourceTable, field: str) -> str | None:
        layer = self._layer(table)
        kind = layer.fields.get(field)
        if kind != _DATE and kind not in _NUMBERS:
            raise Unprocessable(
                f"{field} cannot be a watermark: it is {kind or 'no field of the layer'}, not a date or a number.",
                slug="watermark-unsorted",
            )
        if not layer.statistics:
            raise Unprocessable(
                f"{table.table_name} cannot tell the highest {field}: the server has no statistics.",
                slug="source-without-watermark",
            )
        highest = [{"statisticType": "max", "onStatisticField": field, "outStatisticFieldName": "highest"}]
        answer = self._query(layer, where="1=1", outStatistics=orjson.dumps(highest).decode())
        attributes = answer["features"][0]["attributes"] if answer.get("features") else {}
        value = next(iter(attributes.values()), None)  # some servers write the name in capitals
        return _text(value, kind)

    def close(self) -> None:
        self._client.close()

    def _layer(self, table: SourceTable) -> _Layer:
        if table.query is not None:
            self.capabilities.refuse(Ability.QUERY)
        name = table.table_name or ""
        if name not in self._known:
            self._known[name] = self._described(f"/{configured(self._layers, name)}", name)
        return self._known[name]

    def _described(self, path: str, name: str) -> _Layer:
        found = self._client.get(path, {"f": "json"}, _refused)
        fields = {field["name"]: field["type"] for field in found.get("fields") or []}
        object_id = found.get("objectIdField") or next(
            (field for field, kind in fields.items() if kind == "esriFieldTypeOID"), None
        )
        if object_id is None:
            raise Unprocessable(f"{name} has no object ids, so it cannot be paged.", slug="source-without-key-ranges")
        geometry = found.get("geometryType")
        if geometry is not None and geometry not in _SHAPES:
            raise Unprocessable(
                f"The shapes of {name} are {geometry}; parcels are points or polygons.", slug="source-geometry"
            )
        abilities = found.get("advancedQueryCapabilities") or {}
        return _Layer(
            path=path,
            fields={field: kind for field, kind in fields.items() if kind != "esriFieldTypeGeometry"},
            object_id=object_id,
            page=max(1, int(found.get("maxRecordCount") or 1000)),
            geometry=geometry,
            statistics=bool(abilities.get("supportsStatistics", found.get("supportsStatistics", False))),
        )

    def _frame(self, layer: _Layer, ids: Sequence[int], columns: Sequence[str]) -> pl.DataFrame:
        import polars as pl

        attributes = [name for name in layer.fields if name in columns]
        names = [*attributes, *((WKB, LONGITUDE, LATITUDE) if layer.geometry else ())]
        rows = [
            [*_attributes(feature, layer, attributes), *_placed(feature, layer)]
            for feature in self._features(layer, ids, attributes)
        ]
        return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")

    def _ids(self, layer: _Layer, where: str) -> list[int]:
        return sorted(self._query(layer, where=where, returnIdsOnly="true").get("objectIds") or [])

    def _features(
        self, layer: _Layer, ids: Sequence[int], columns: Sequence[str], *, shapes: bool = True
    ) -> Iterator[dict[str, Any]]:
        """The features in the order of their ids; one that was deleted meanwhile is left out."""
        size, start = layer.page, 0
        with_shapes = shapes and layer.geometry is not None
        wanted = ",".join(dict.fromkeys([layer.object_id, *columns]))
        while start < len(ids):
            page = ids[start : start + size]
            try:
                answer = self._query(
                    layer,
                    where=f"{layer.object_id} >= {page[0]} AND {layer.object_id} <= {page[-1]}",
                    outFields=wanted,
                    returnGeometry=str(with_shapes).lower(),
                    outSR="4326",
                )
            except SourceUnavailable as error:
                if len(page) == 1 or error.slug != REFUSED:
                    raise
                size = max(1, len(page) // 2)  # long shapes make a page too large for the server
                continue
            if answer.get("exceededTransferLimit"):
                if len(page) == 1:
                    raise SourceUnavailable(f"The server cuts off feature {page[0]}.")
                size = max(1, len(page) // 2)
                continue
            yield from sorted(answer["features"], key=lambda feature: feature["attributes"][layer.object_id])
            start += len(page)

    def _query(self, layer: _Layer, **parameters: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._client.get(f"{layer.path}/query", {"f": "json", **parameters}, _refused)
        return answer


def _refused(status: int, body: Any) -> str | None:
    """Faults come with status 200 and the real one inside."""
    if not isinstance(body, dict):
        return f"it answers {status}" if status != 200 else "its answer is no object"
    error = body.get("error")
    if error is None:
        return None if status == 200 else f"it answers {status}"
    code, said = error.get("code"), str(error.get("message") or "no reason given")[:200].rstrip(".")
    if code in {429, 502, 503, 504}:
        raise BusyError(f"it answers {code}")
    if code in {498, 499, 401, 403}:
        return f"it asks for a valid token ({code}: {said})"
    return f"{said} ({code})"


def _where(layer: _Layer, table: SourceTable, keys: KeyRange | None = None) -> str:
    terms = []
    if keys is not None and keys.lower is not None:
        terms.append(f"{layer.object_id} > {int(keys.lower[0])}")
    if keys is not None and keys.upper is not None:
        terms.append(f"{layer.object_id} <= {int(keys.upper[0])}")
    if isinstance(table.since, Since):
        terms.append(f"{table.since.field} >= {_literal(table.since, layer)}")
    elif table.since is not None:
        raise Unprocessable("An ArcGIS service has no change tracking.", slug="source-without-change-tracking")
    return " AND ".join(terms) or "1=1"


def _literal(since: Since, layer: _Layer) -> str:
    kind = layer.fields.get(since.field)
    if kind == _DATE:
        return f"timestamp '{datetime.fromisoformat(since.value):%Y-%m-%d %H:%M:%S}'"
    if kind in _NUMBERS:
        return repr(float(since.value))
    raise Unprocessable(f"{since.field} cannot be a watermark: it is {kind}.", slug="watermark-unsorted")


def _attributes(feature: dict[str, Any], layer: _Layer, columns: Sequence[str]) -> list[str | None]:
    found = feature["attributes"]
    return [_text(found.get(name), layer.fields[name]) for name in columns if name in layer.fields]


def _text(value: Any, kind: str | None) -> str | None:
    if kind == _DATE and isinstance(value, (int, float)):
        # not fromtimestamp, which knows no days before 1970 on some systems
        return (_EPOCH + timedelta(milliseconds=value)).replace(tzinfo=None).isoformat(" ")
    return as_text(value)


def _placed(feature: dict[str, Any], layer: _Layer) -> ShapeTexts | tuple[()]:
    if layer.geometry is None:
        return ()
    shape = feature.get("geometry") or {}
    if layer.geometry == "esriGeometryPoint":
        x, y = shape.get("x"), shape.get("y")
        if not isinstance(x, (int, float)) or not isinstance(y, (int, float)):  # "NaN" stands for no place
            return None, None, None
        return point_shape((float(x), float(y)))
    return polygon_shape([(point[0], point[1]) for point in ring] for ring in shape.get("rings") or [])
