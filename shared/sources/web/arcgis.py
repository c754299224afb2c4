"""ArcGIS REST services, feature and map: how most counties publish their parcels.

https://developers.arcgis.com/rest/services-reference/enterprise/query-feature-service-layer/
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
import polars as pl

from shared.contracts.source_rows import Key
from shared.geo.geometry import LATITUDE, LONGITUDE, WKB
from shared.problems import SourceRefused, SourceUnavailable, Unprocessable
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
from shared.sources.text_values import to_extract, with_value_faults
from shared.sources.web.arcgis_features import (
    DATE,
    WGS84,
    FeaturePages,
    Layer,
    attribute_text,
    read_attributes,
    read_geometry,
)
from shared.sources.web.client import BusyError, JsonClient

_KEYS_BATCH_SIZE = 100_000
"""Rows of a frame of keys, as `Source.keys` promises."""
_SHAPES = {"esriGeometryPoint", "esriGeometryPolygon"}
_NUMBERS = {
    "esriFieldTypeOID", "esriFieldTypeInteger", "esriFieldTypeSmallInteger", "esriFieldTypeBigInteger",
    "esriFieldTypeDouble", "esriFieldTypeSingle",
}  # fmt: skip


class ArcGisSource(WithoutChangeTracking):
    """Layers of one service, in ranges of object ids. A page that the server refuses as too large is halved."""

    def __init__(
        self,
        url: str,
        layers: Mapping[str, int],
        token: str | None,
        *,
        sleep: Callable[[float], None] = time.sleep,
        timeouts: Timeouts | None = None,
    ) -> None:
        headers = {"X-Esri-Authorization": f"Bearer {token}"} if token else {}
        self._client = JsonClient(url, headers, sleep=sleep, timeouts=timeouts)
        self._layers = layers
        self._known: dict[str, Layer] = {}

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            {
                Ability.QUERY: "an ArcGIS service has layers: name one with source_table_name",
                Ability.CHANGE_TRACKING: "an ArcGIS service does not tell deleted features by version; use a date"
                " field of edits as watermark, or the mode snapshot",
            }
        )

    def schema(self, table: SourceTable) -> TableSchema:
        layer = self._layer(table)
        columns = dict(layer.fields)
        if layer.geometry is not None:
            columns |= {WKB: layer.geometry, LONGITUDE: "float", LATITUDE: "float"}
        return TableSchema(columns)

    def count(self, table: SourceTable) -> int:
        layer = self._layer(table)
        answer = self._query(layer, where=_where(layer, table), returnCountOnly="true")
        if not isinstance(answer.get("count"), int):
            raise SourceRefused(f"{table.table_name}: the service's answer has no count.")
        return int(answer["count"])

    def cut(self, table: SourceTable, rows: int) -> tuple[int, list[Key]]:
        layer = self._layer(table)
        where = _where(layer, table)
        ids = self._ids(layer, where)
        if len(ids) != self.count(table):  # the layer changes, or the service does not list all
            ids = self._ids(layer, where)
            counted = self.count(table)
            if len(ids) != counted:
                raise SourceUnavailable(
                    f"{table.table_name}: the service counts {counted:,} features and gives {len(ids):,} object ids:"
                    " they are not unique (a joined layer), or some are missing.",
                    slug="source-incomplete",
                )
        # features that share an object id stay in one range
        ends = (ids[position - 1] for position in range(rows, len(ids), rows))
        return len(ids), [[end] for end in dict.fromkeys(ends) if end != ids[-1]]

    def read(self, table: SourceTable, schema: TableSchema, keys: KeyRange) -> Extract:
        layer = self._layer(table)
        return to_extract(self._frame(layer, self._ids(layer, _where(layer, table, keys)), list(schema.columns)))

    def sample(self, table: SourceTable, rows: int) -> Sample:
        layer, types = self._layer(table), self.schema(table).columns
        return Sample(self._frame(layer, self._ids(layer, _where(layer, table))[:rows], list(types)), types)

    def keys(self, table: SourceTable, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        layer = self._layer(table)
        ids = self._ids(layer, _where(layer, table))
        for start in range(0, len(ids), _KEYS_BATCH_SIZE):
            features = self._features(layer, ids[start : start + _KEYS_BATCH_SIZE], columns, shapes=False)
            rows = [read_attributes(feature, layer, columns)[0] for feature in features]
            yield pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")

    def watermark(self, table: SourceTable, field: str) -> str | None:
        layer = self._layer(table)
        kind = layer.fields.get(field)
        if kind != DATE and kind not in _NUMBERS:
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
        value = next(iter(attributes.values()), None)  # some servers return the name in capitals
        return attribute_text(value, kind)

    def close(self) -> None:
        self._client.close()

    def _layer(self, table: SourceTable) -> Layer:
        if table.query is not None:
            self.capabilities.refuse(Ability.QUERY)
        name = table.table_name or ""
        if name not in self._known:
            self._known[name] = self._described(f"/{table_description(self._layers, name)}", name)
        return self._known[name]

    def _described(self, path: str, name: str) -> Layer:
        answer = self._client.get(path, {"f": "json"}, _refused)
        fields = {field["name"]: field["type"] for field in answer.get("fields") or []}
        object_id = answer.get("objectIdField") or next(
            (field for field, kind in fields.items() if kind == "esriFieldTypeOID"), None
        )
        if object_id is None:
            raise Unprocessable(f"{name} has no object ids, so it cannot be paged.", slug="source-without-key-ranges")
        geometry = answer.get("geometryType")
        if geometry is not None and geometry not in _SHAPES:
            raise Unprocessable(
                f"The shapes of {name} are {geometry}; parcels are points or polygons.", slug="source-geometry"
            )
        abilities = answer.get("advancedQueryCapabilities") or {}
        return Layer(
            name=name,
            path=path,
            fields={field: kind for field, kind in fields.items() if kind != "esriFieldTypeGeometry"},
            object_id=object_id,
            page=max(1, int(answer.get("maxRecordCount") or 1000)),
            geometry=geometry,
            statistics=bool(abilities.get("supportsStatistics", answer.get("supportsStatistics", False))),
        )

    def _frame(self, layer: Layer, ids: Sequence[int], columns: Sequence[str]) -> pl.DataFrame:
        attributes = [name for name in layer.fields if name in columns]
        names = [*attributes, *((WKB, LONGITUDE, LATITUDE) if layer.geometry else ())]
        rows, faults = list[list[str | None]](), list[list[str]]()
        for feature in self._features(layer, ids, attributes):
            texts, of_row = read_attributes(feature, layer, attributes)
            placed, wrong = read_geometry(feature, layer)
            rows.append([*texts, *placed])
            faults.append([*of_row, *wrong])
        return with_value_faults(pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row"), faults)

    def _ids(self, layer: Layer, where: str) -> list[int]:
        """The object ids in order, with repetitions where several features share one (a joined layer)."""
        ids = self._query(layer, where=where, returnIdsOnly="true").get("objectIds") or []
        if not all(isinstance(object_id, int) for object_id in ids):
            raise SourceRefused(f"{layer.name}: the service's object ids are no whole numbers.")
        return sorted(ids)

    def _features(
        self, layer: Layer, ids: Sequence[int], columns: Sequence[str], *, shapes: bool = True
    ) -> Iterator[dict[str, Any]]:
        """The features in the order of their ids. Raises SourceUnavailable where the service does not return them
        all.
        """
        question = {
            "outFields": ",".join(dict.fromkeys([layer.object_id, *columns])),
            "returnGeometry": str(shapes and layer.geometry is not None).lower(),
            "outSR": str(WGS84),
        }
        counts = Counter(ids)
        pages = FeaturePages(layer, counts, lambda where: self._query(layer, where=where, **question), self._ids)
        unique = sorted(counts)
        start = 0
        while start < len(unique):
            page = unique[start : start + pages.size]
            yield from pages.read(page)
            start += len(page)

    def _query(self, layer: Layer, **parameters: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._client.get(f"{layer.path}/query", {"f": "json", **parameters}, _refused)
        return answer


def _refused(status: int, body: Any) -> str | None:
    """The reason of a final error; ArcGIS answers errors with status 200 and their code in the body."""
    if not isinstance(body, dict):
        return f"it answers {status}" if status != 200 else "its answer is no object"
    error = body.get("error")
    if error is None:
        return None if status == 200 else f"it answers {status}"
    code, message = error.get("code"), str(error.get("message") or "no reason given")[:200].rstrip(".")
    if code in {429, 502, 503, 504}:
        raise BusyError(f"it answers {code}")
    if code in {498, 499, 401, 403}:
        return f"it asks for a valid token ({code}: {message})"
    return f"{message} ({code})"


def _where(layer: Layer, table: SourceTable, keys: KeyRange | None = None) -> str:
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


def _literal(since: Since, layer: Layer) -> str:
    kind = layer.fields.get(since.field)
    if kind == DATE:
        return f"timestamp '{datetime.fromisoformat(since.value):%Y-%m-%d %H:%M:%S}'"
    if kind in _NUMBERS:
        return repr(float(since.value))
    raise Unprocessable(f"{since.field} cannot be a watermark: it is {kind}.", slug="watermark-unsorted")
