"""The query parameters of items, read and checked. What is wrong with one is a BadRequest: the standard wants a 400."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import get_args

from functions.features.domain.reference_systems import CRS84, ReferenceSystem, reference_system
from shared.cql2 import FilterError, FilterLanguage, Predicate, QueryableKind, Queryables, read_filter
from shared.cql2.geometry_literals import box_literal
from shared.cql2.json_encoding import instant
from shared.cql2.numbers import exact_decimal
from shared.cql2.positions import convert_positions
from shared.cql2.tree import (
    And,
    BooleanLiteral,
    Comparison,
    DateLiteral,
    Expression,
    GeometryLiteral,
    Interval,
    NumberLiteral,
    PropertyReference,
    SpatialPredicate,
    TemporalPredicate,
    TextLiteral,
    TimestampLiteral,
)
from shared.layers.filters import GEOMETRY
from shared.problems import BadRequest, Fault

DEFAULT_LIMIT, MAX_LIMIT = 1_000, 10_000
"""Features a page. GDAL's driver takes pages of what the description declares."""
PAGE_TOKEN = "page_token"  # noqa: S105 - a name
RESERVED = frozenset(
    {
        "limit",
        "bbox",
        "bbox-crs",
        "crs",
        "datetime",
        "filter",
        "filter-lang",
        "filter-crs",
        "properties",
        "f",
        PAGE_TOKEN,
    }
)
_LANGUAGES: tuple[FilterLanguage, ...] = get_args(FilterLanguage)
_MIN_BOX_EDGE_POINTS = 21
"""Points along an edge of a box that another system bends; PROJ's own choice (proj_trans_bounds, densify_pts)."""


@dataclass(frozen=True)
class ItemsQuery:
    """The parameters of a request for items, read. `properties` None means all of them."""

    limit: int
    crs: ReferenceSystem
    predicate: Predicate | None
    properties: frozenset[str] | None


def read_items_query(parameters: Mapping[str, str], queryables: Queryables, instant_of: str | None) -> ItemsQuery:
    """The parameters of a request. `instant_of` names the property that `datetime` asks for."""
    unknown = sorted(name for name in parameters if name not in RESERVED and name not in queryables.properties)
    if unknown:
        known = ", ".join(sorted(RESERVED))
        raise _wrong(
            unknown[0], f"Unknown query parameter(s): {', '.join(unknown)[:200]}. Known: {known}, and properties."
        )
    return ItemsQuery(
        limit=read_limit(parameters.get("limit")),
        crs=read_crs(parameters, "crs"),
        predicate=_predicate(parameters, queryables, instant_of),
        properties=_properties(parameters.get("properties"), queryables),
    )


def read_limit(text: str | None) -> int:
    """Features a page; more than the maximum is taken as that."""
    if text is None:
        return DEFAULT_LIMIT
    if not text.isascii() or not text.isdigit() or int(text[:9]) < 1:
        raise _wrong("limit", f"limit is a whole number from 1 to {MAX_LIMIT:,}; {text[:60]!r} is none.")
    return min(int(text[:9]), MAX_LIMIT)


def read_crs(parameters: Mapping[str, str], name: str) -> ReferenceSystem:
    """The reference system that a parameter names, CRS84 without it."""
    return reference_system(parameters.get(name, CRS84), name)


def read_box(text: str, system: ReferenceSystem) -> GeometryLiteral:
    """The box of the parameter bbox as a geometry in degrees."""
    try:
        sides = [float(side) for side in text.split(",")]
    except ValueError:
        raise _wrong("bbox", f"bbox is four numbers with commas between; {text[:100]!r} is not.") from None
    if any(side != side or side in (float("inf"), float("-inf")) for side in sides):
        raise _wrong("bbox", "A number of bbox is not finite.")
    if len(sides) not in (4, 6):
        raise _wrong("bbox", f"bbox has four numbers, or six with heights; this one has {len(sides)}.")
    low, high = sides[: len(sides) // 2][:2], sides[len(sides) // 2 :][:2]
    corners = [*low, *high]
    if system.is_crs84 or system.uri.endswith("/4326"):
        if not system.is_crs84:
            corners = [low[1], low[0], high[1], high[0]]
        west, south, east, north = corners
        if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= 90 and -90 <= north <= 90):
            raise _wrong("bbox", f"bbox is outside the earth's degrees; the order of axes is that of {system.uri}.")
    elif low[0] > high[0]:
        raise _wrong("bbox", "bbox is the wrong way round: its lower corner comes first.")
    try:
        box = box_literal(corners, "")
    except FilterError as error:
        raise _wrong("bbox", error.detail) from None
    if system.is_crs84 or system.uri.endswith("/4326"):
        return box
    ring = _with_points_between(box.parts[0])  # type: ignore[arg-type]  # a rectangle has one part
    return GeometryLiteral(box.geometry_type, (tuple(system.positions_to_degrees(ring)),))


def _with_points_between(positions: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    if len(positions) == 1:
        return list(positions)
    steps = [step / _MIN_BOX_EDGE_POINTS for step in range(_MIN_BOX_EDGE_POINTS)]
    between = [(x + (u - x) * t, y + (v - y) * t) for (x, y), (u, v) in pairwise(positions) for t in steps]
    return [*between, positions[-1]]


def _predicate(parameters: Mapping[str, str], queryables: Queryables, instant_of: str | None) -> Predicate | None:
    """All that the parameters ask for, as one filter."""
    parts: list[Predicate] = []
    if "filter" in parameters:
        parts.append(_filter(parameters))
    elif "filter-lang" in parameters or "filter-crs" in parameters:
        read_crs(parameters, "filter-crs")
        _language(parameters)
    if "bbox" in parameters:
        box = read_box(parameters["bbox"], read_crs(parameters, "bbox-crs"))
        parts.append(SpatialPredicate("s_intersects", PropertyReference(GEOMETRY), box))
    else:
        read_crs(parameters, "bbox-crs")
    if "datetime" in parameters:
        period = read_period(parameters["datetime"])
        if instant_of is not None:
            parts.append(TemporalPredicate("t_intersects", PropertyReference(instant_of), period))
    for name in sorted(set(parameters) - RESERVED):
        value = _value(name, queryables.properties[name].kind, parameters[name])
        parts.append(Comparison("=", PropertyReference(name), value))
    return And(tuple(parts)) if parts else None


def _filter(parameters: Mapping[str, str]) -> Predicate:
    try:
        predicate = read_filter(parameters["filter"], _language(parameters))
    except FilterError as error:
        raise as_bad_request(error, "/query/filter") from None
    system = read_crs(parameters, "filter-crs")
    return predicate if system.is_crs84 else convert_positions(predicate, system.positions_to_degrees)


def _language(parameters: Mapping[str, str]) -> FilterLanguage:
    named = parameters.get("filter-lang", "cql2-text")
    for language in _LANGUAGES:
        if named == language:
            return language
    raise _wrong("filter-lang", f"filter-lang is one of {', '.join(_LANGUAGES)}; {named[:60]!r} is not.")


def as_bad_request(error: FilterError, pointer: str) -> BadRequest:
    """A fault of a filter as that of the request that carried it."""
    faults = tuple(Fault(pointer + fault.pointer, fault.detail) for fault in error.faults)
    return BadRequest(error.detail, slug=error.slug, faults=faults)


def read_period(text: str) -> Interval:
    """The parameter datetime: an instant, or an interval with `..` or nothing for an open end (RFC 3339)."""
    ends = text.split("/")
    if len(ends) > 2 or (len(ends) == 1 and ends[0] in ("", "..")) or all(end in ("", "..") for end in ends):
        raise _wrong("datetime", f"datetime is an instant, or two with / between; {text[:100]!r} is not.")
    try:
        instants = [None if end in ("", "..") else instant(end, "") for end in ends]
    except FilterError as error:
        raise _wrong("datetime", error.detail) from None
    start, end = instants[0], instants[-1]
    if start is not None and end is not None and _moment(start) > _moment(end):
        raise _wrong("datetime", "datetime ends before it begins.")
    return Interval(start, end)


def _moment(literal: DateLiteral | TimestampLiteral) -> str:
    value: date | datetime = literal.value
    return value.isoformat()


def _properties(text: str | None, queryables: Queryables) -> frozenset[str] | None:
    if text is None:
        return None
    names = frozenset(name for name in text.split(",") if name)
    unknown = sorted(names - set(queryables.properties))
    if unknown:
        raise _wrong("properties", f"There is no property {', '.join(unknown)[:200]}.")
    return names


def _value(name: str, kind: QueryableKind, text: str) -> Expression:
    try:
        match kind:
            case "text":
                return TextLiteral(text)
            case "integer" | "real":
                return NumberLiteral(exact_decimal(float(text), ""))
            case "boolean":
                return BooleanLiteral({"true": True, "false": False}[text.lower()])
            case _:
                return instant(text, "")
    except (ValueError, KeyError, FilterError):
        raise _wrong(name, f"{name} is of the kind {kind}; {text[:60]!r} is not.") from None


def _wrong(name: str, detail: str) -> BadRequest:
    return BadRequest(detail, slug="parameter-invalid", faults=(Fault(f"/query/{name}", detail),))
