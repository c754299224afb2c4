"""Pages of features, and single ones."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from functions.features import repository
from functions.features.domain.feature import Feature
from functions.features.domain.parameters import PAGE_TOKEN, ItemsQuery, as_bad_request, read_items_query
from functions.features.domain.reference_systems import ReferenceSystem
from functions.features.domain.shapes import Shapes, shapes_of, to_geojson
from functions.features.repository import Rows
from functions.features.service.catalog import instant_of, require_layer
from shared.access import Caller
from shared.cql2 import CompiledFilter, FilterError, compile_filter
from shared.cql2.spatial import matches, require_valid
from shared.db import unit_of_work
from shared.jobs.large_results import MAX_ANSWER_BYTES
from shared.layers import Layer
from shared.layers.filters import queryables_of
from shared.paging import decode_token, encode_token
from shared.problems import NotFound

SCAN_ROWS = 10_000
MAX_SCANNED_ROWS = 200_000
"""Rows that are read for a page whose filter only shapes decide: the page ends there, and the next begins there. A
choice: the driver reads some 60,000 a second, and API Gateway waits 29 s."""


@dataclass(frozen=True)
class FeaturePage:
    """A page of features; `matched` is how many there are altogether, where that is known."""

    layer: Layer
    features: list[Feature]
    crs: ReferenceSystem
    matched: int | None
    next_page_token: str | None


def items(county_id: str, collection_id: str, caller: Caller, parameters: Mapping[str, str]) -> FeaturePage:
    """A page of a collection's features. Raises NotFound, BadRequest for a parameter that is not valid."""
    with unit_of_work(county_id) as connection:
        layer = require_layer(connection, county_id, collection_id, caller)
        queryables = queryables_of(layer)
        query = read_items_query(parameters, queryables, instant_of(layer))
        token = parameters.get(PAGE_TOKEN)
        asked = {name: value for name, value in parameters.items() if name not in (PAGE_TOKEN, "f", "limit")}
        decoded = decode_token([county_id, collection_id, asked], token, str)
        after = None if decoded is None else decoded[0]
        try:
            condition = None if query.predicate is None else compile_filter(query.predicate, queryables)
            if condition is not None and condition.residual is not None:
                require_valid(condition.residual)
            features, last = _read(connection, county_id, layer, query, condition, after)
        except FilterError as error:
            raise as_bad_request(error, "/query/filter") from None
        matched = None
        if after is None:
            matched = len(features) if last is None else _matched(connection, county_id, layer, condition)
        next_token = None if last is None else encode_token([county_id, collection_id, asked], [last])
    return FeaturePage(layer, features, query.crs, matched, next_token)


def item(
    county_id: str, collection_id: str, feature_id: str, caller: Caller, crs: ReferenceSystem
) -> tuple[Layer, Feature]:
    """A feature by its id. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        layer = require_layer(connection, county_id, collection_id, caller)
        rows = repository.find(connection, county_id, layer, feature_id)
    if not rows.keys:
        raise NotFound(f"{collection_id} has no feature {feature_id[:100]!r}.", slug="feature-not-found")
    return layer, _features(rows, _shapes(layer, rows), crs)[0]


def _matched(connection: Connection, county_id: str, layer: Layer, condition: CompiledFilter | None) -> int | None:
    """The number of all features, where the database alone can tell it."""
    if condition is not None and condition.residual is not None:
        return None
    return repository.count(connection, county_id, layer, condition)


def _read(
    connection: Connection,
    county_id: str,
    layer: Layer,
    query: ItemsQuery,
    condition: CompiledFilter | None,
    after: str | None,
) -> tuple[list[Feature], str | None]:
    """The features of a page, and the key after which there may be more; None at the end.

    A page ends before the limit where its answer would be too large.
    """
    features: list[Feature] = []
    size = scanned = 0
    exact = condition is None or condition.residual is None
    while True:
        scan = query.limit - len(features) + 1 if exact else max(SCAN_ROWS, query.limit - len(features) + 1)
        rows = repository.page(
            connection, county_id, layer, condition, columns=query.properties, after=after, limit=scan
        )
        scanned += len(rows.keys)
        for feature in _matching(rows, layer, condition, query.crs):
            size += len(feature.geometry) + len(feature.properties) + len(feature.feature_id) + 80
            if len(features) == query.limit or (features and size > MAX_ANSWER_BYTES):
                return features, features[-1].feature_id
            features.append(feature)
        if len(rows.keys) < scan:
            return features, None
        after = rows.keys[-1]
        if scanned >= MAX_SCANNED_ROWS:
            return features, after


def _matching(rows: Rows, layer: Layer, condition: CompiledFilter | None, crs: ReferenceSystem) -> list[Feature]:
    shapes = _shapes(layer, rows)
    if rows.keys and condition is not None and condition.residual is not None:
        selected = np.flatnonzero(matches(condition.residual, rows.flags, shapes))
        shapes = shapes[selected]
        rows = Rows(
            keys=tuple(rows.keys[index] for index in selected),
            shapes=(),
            longitudes=(),
            latitudes=(),
            properties=tuple(rows.properties[index] for index in selected),
            flags=(),
        )
    return _features(rows, shapes, crs)


def _features(rows: Rows, shapes: Shapes, crs: ReferenceSystem) -> list[Feature]:
    geometries = to_geojson(shapes, crs)
    return [Feature(*parts) for parts in zip(rows.keys, geometries, rows.properties, strict=True)]


def _shapes(layer: Layer, rows: Rows) -> Shapes:
    return shapes_of(rows.shapes, rows.longitudes, rows.latitudes, points_only=layer.geometry == "point")
