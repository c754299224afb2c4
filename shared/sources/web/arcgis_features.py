"""Features of an ArcGIS layer: requested until complete, and read as text."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from shared.geo.geometry import LATITUDE, LONGITUDE, WKB, Shape, point_shape, polygon_shape
from shared.geo.reference_systems import WEB_MERCATOR, UnknownSystemError, require_known, srid_of_esri, to_degrees
from shared.mapping import value_fault
from shared.problems import SourceRefused, SourceUnavailable, Unprocessable
from shared.sources.text_values import as_text
from shared.sources.web.client import REFUSED_SLUG
from shared.sources.web.geometries import NO_GEOMETRY, read_geometry_texts

DATE = "esriFieldTypeDate"
WGS84 = 4326
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_SHOWN_IDS = 5
"""Missing object ids that a message lists. A choice."""

Feature = dict[str, Any]


@dataclass(frozen=True)
class Layer:
    """The description of a layer."""

    name: str
    path: str
    fields: dict[str, str]
    object_id: str
    page: int
    geometry: str | None
    statistics: bool


class FeaturePages:
    """Pages of features by object ids. `size`: features of a request, reduced after the first truncated answer,
    whatever the service declares.

    Missing features are requested again by themselves. If the service still lists but does not return them, reading
    fails: they would be taken for deleted.
    """

    def __init__(
        self,
        layer: Layer,
        requested: Counter[int],
        ask: Callable[[str], Mapping[str, Any]],
        ids: Callable[[Layer, str], list[int]],
    ) -> None:
        self.size = layer.page
        self._layer = layer
        self._requested = requested
        self._ask = ask
        self._ids = ids

    def read(self, page: Sequence[int]) -> Iterator[Feature]:
        """The features with these ids, in their order, without those deleted meanwhile."""
        features: dict[int, list[Feature]] = {}
        pending, not_returned = [list(page)], list[int]()
        while pending:
            run = pending.pop()
            received = self._once(run)
            features |= received
            missing_ids = [object_id for object_id in run if object_id not in received]
            if missing_ids == run and len(run) == 1:
                not_returned += run
            elif missing_ids == run:
                pending += [run[len(run) // 2 :], run[: len(run) // 2]]
            else:
                pending += _runs(missing_ids, run)
        self._require_gone(not_returned, len(page))
        for object_id in sorted(features):
            yield from features[object_id]

    def _once(self, run: Sequence[int]) -> dict[int, list[Feature]]:
        """The features of one request by object id; all of those that share one, or none."""
        name = self._layer.object_id
        try:
            answer = self._ask(f"{name} >= {run[0]} AND {name} <= {run[-1]}")
        except SourceUnavailable as error:
            if len(run) == 1 or error.slug != REFUSED_SLUG:
                raise
            self.size = max(1, len(run) // 2)  # long geometries make a page too large for the server
            return {}
        convert_to_degrees(answer, self._layer.name)
        by_id = defaultdict[int, list[Feature]](list)
        for feature in _features_of(answer, self._layer):
            by_id[_object_id(feature, self._layer)].append(feature)
        received = {
            object_id: by_id[object_id] for object_id in run if len(by_id[object_id]) >= self._requested[object_id]
        }
        if len(received) < len(run):
            self.size = max(1, min(self.size, len(received) or len(run) // 2))
        return received

    def _require_gone(self, missing: list[int], asked: int) -> None:
        if not missing:
            return
        name = self._layer.object_id
        listed = {
            object_id
            for object_id in missing
            if self._ids(self._layer, f"{name} >= {object_id} AND {name} <= {object_id}")
        }
        if listed:
            some = ", ".join(map(str, sorted(listed)[:_MAX_SHOWN_IDS])) + (
                ", ..." if len(listed) > _MAX_SHOWN_IDS else ""
            )
            raise SourceUnavailable(
                f"{self._layer.name}: {asked:,} features were asked for and {asked - len(listed):,} came; the service"
                f" lists {name} {some}, and does not give them, or not all of those that share an object id.",
                slug="source-incomplete",
            )


def convert_to_degrees(answer: Mapping[str, Any], layer: str) -> None:
    """Convert the geometries of an answer to degrees: a service may answer in another reference system than requested.

    Raises Unprocessable for an unsupported system.
    """
    placed = [
        feature for feature in answer.get("features") or [] if isinstance(feature, dict) and feature.get("geometry")
    ]
    try:
        srid = srid_of_esri(answer.get("spatialReference")) or WGS84
        require_known(srid)
    except UnknownSystemError:
        if not placed:
            return
        reference = answer["spatialReference"]
        codes = sorted({reference.get("wkid"), reference.get("latestWkid")} - {None})
        system = ", ".join(f"WKID {code}" for code in codes) or str(reference.get("wkt"))[:80]
        raise Unprocessable(
            f"{layer}: the service answers in the spatial reference {system}, though WGS 84 ({WGS84}, degrees) was"
            " asked for (outSR).",
            slug="source-reference-system",
        ) from None
    for feature in placed if srid in WEB_MERCATOR else ():
        feature["geometry"] = _converted(feature["geometry"], srid)


def _converted(shape: Mapping[str, Any], srid: int) -> dict[str, Any]:
    def placed(point: Sequence[Any]) -> Sequence[Any]:
        x, y = point[:2]
        return to_degrees(srid, x, y) if isinstance(x, int | float) and isinstance(y, int | float) else point

    if "rings" in shape:
        return {"rings": [[placed(point) for point in ring] for ring in shape["rings"] or []]}
    x, y = placed((shape.get("x"), shape.get("y")))
    return {"x": x, "y": y}


def read_attributes(feature: Feature, layer: Layer, columns: Sequence[str]) -> tuple[list[str | None], list[str]]:
    """The texts of a feature's attributes, and the faults of those that cannot be read."""
    attributes = feature.get("attributes") or {}
    texts, faults = list[str | None](), list[str]()
    lower: dict[str, str] | None = None
    for name in columns:
        if name not in layer.fields:
            continue
        key = name
        if name not in attributes:  # some servers return names in another case than they declare
            lower = lower if lower is not None else {other.lower(): other for other in attributes}
            key = lower.get(name.lower(), name)
        try:
            if key not in attributes:
                raise ValueError("the service's answer lacks it")
            texts.append(attribute_text(attributes[key], layer.fields[name]))
        except (ValueError, OverflowError, TypeError) as error:
            texts.append(None)
            faults.append(value_fault(name, f"{name} cannot be read: {error}"))
    return texts, faults


def attribute_text(value: Any, kind: str | None) -> str | None:
    """An attribute as text; a date as time in UTC. Raises ValueError for a date outside the calendar."""
    if kind == DATE and isinstance(value, int | float) and not isinstance(value, bool):
        if value != value:  # NaN
            return None
        try:
            # not fromtimestamp, which knows no days before 1970 on some systems
            return (_EPOCH + timedelta(milliseconds=value)).replace(tzinfo=None).isoformat(" ")
        except OverflowError:
            raise ValueError(f"{value} milliseconds after 1970 is a date of no year from 1 to 9999") from None
    return as_text(value)


def read_geometry(feature: Feature, layer: Layer) -> tuple[Shape | tuple[()], list[str]]:
    """The columns of a feature's geometry, and the faults of one that cannot be read."""
    if layer.geometry is None:
        return (), []
    shape = feature.get("geometry") or {}
    if layer.geometry == "esriGeometryPoint":
        point = [[(shape.get("x"), shape.get("y"))]]
        read = read_geometry_texts(point, lambda rings: point_shape(rings[0][0]))
    else:
        read = read_geometry_texts(shape.get("rings") or [], polygon_shape)
    if isinstance(read, str):
        return NO_GEOMETRY, [value_fault(name, read) for name in (WKB, LONGITUDE, LATITUDE)]
    return read, []


def _features_of(answer: Mapping[str, Any], layer: Layer) -> list[Feature]:
    features = answer.get("features")
    if not isinstance(features, list) or not all(isinstance(feature, dict) for feature in features):
        raise SourceRefused(f"{layer.name}: the service's answer has no list of features.")
    return features


def _object_id(feature: Feature, layer: Layer) -> int:
    attributes = feature.get("attributes") or {}
    object_id = attributes.get(layer.object_id)
    if object_id is None:
        names = {name.lower(): name for name in attributes}
        object_id = attributes.get(names.get(layer.object_id.lower(), ""))
    if not isinstance(object_id, int):
        raise SourceRefused(f"{layer.name}: a feature in the service's answer has no {layer.object_id}.")
    return object_id


def _runs(missing: list[int], asked: Sequence[int]) -> list[list[int]]:
    """Missing ids as runs of neighbors among those requested, so that no request repeats what came; the first run
    last.
    """
    positions = {object_id: position for position, object_id in enumerate(asked)}
    runs: list[list[int]] = [missing[:1]] if missing else []
    for before, object_id in pairwise(missing):
        if positions[object_id] == positions[before] + 1:
            runs[-1].append(object_id)
        else:
            runs.append([object_id])
    return runs[::-1]
