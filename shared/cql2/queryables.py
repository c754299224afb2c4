"""Queryables: the properties that a filter may name, each with its SQL."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

QueryableKind = Literal["text", "integer", "real", "date", "datetime", "boolean"]

Bounds = tuple[str, str, str, str]
"""SQL of the least and greatest longitude and latitude: west, south, east, north, as double precision."""


@dataclass(frozen=True)
class Queryable:
    """A property; `expression` is its SQL."""

    name: str
    kind: QueryableKind
    expression: str


@dataclass(frozen=True)
class GeometryQueryable:
    """The geometry of the features.

    `exists` is the SQL condition of having one. Rows whose `bounds` are NULL are never excluded by a window: only their
    shape says where they are. `reach`: how many degrees a shape goes beyond its `bounds` at most.
    """

    name: str
    exists: str
    bounds: Bounds
    reach: float = 0.0


@dataclass(frozen=True)
class Queryables:
    """The names that a filter of a layer may use; without a geometry, it has no spatial predicates."""

    properties: Mapping[str, Queryable] = field(default_factory=dict)
    geometry: GeometryQueryable | None = None
