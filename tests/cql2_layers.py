"""The CQL2 standard's test data as layers of a county, and the predicates with the number of features of each."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyogrio.raw import read
from sqlalchemy import Connection, insert

from shared.db.models import District, DistrictLayer

DATA = Path(__file__).parent / "data" / "cql2"

_KINDS: dict[str, dict[str, str]] = {
    "ne_110m_admin_0_countries": {"NAME": "text", "POP_EST": "real"},
    "ne_110m_populated_places_simple": {
        "name": "text",
        "nameascii": "text",
        "pop_max": "integer",
        "pop_min": "integer",
        "pop_other": "integer",
        "date": "date",
        "start": "datetime",
        "end": "datetime",
        "boolean": "boolean",
    },
    "ne_110m_rivers_lake_centerlines": {"name": "text"},
}
_TYPES = {"MultiPolygon": "polygon", "Point": "point", "LineString": "line"}


@dataclass(frozen=True)
class StandardPredicate:
    """A predicate of the standard's Annex A: the class that it tests, the layer, and how many features it selects."""

    conformance_class: str
    layer: str
    text: str
    features: int


INCONSISTENT = frozenset(
    {
        "ACCENTI(name) LIKE accenti('Ch%')",
        "ACCENTI(CASEI(name)) LIKE accenti(casei('Chiș%'))",
        "ACCENTI(CASEI(name)) LIKE accenti(casei('cHis%'))",
    }
)
"""Predicates whose published count (2) is not that of the published data: three places begin with Ch, and one with
Chis, whatever the accents."""


@cache
def standard_predicates() -> list[StandardPredicate]:
    """All of them."""
    with (DATA / "predicates.csv").open(encoding="utf-8", newline="") as file:
        return [
            StandardPredicate(row["conformance_class"], row["collection"], row["predicate"], int(row["items"]))
            for row in csv.DictReader(file)
        ]


def add_standard_layers(connection: Connection, county_id: str) -> None:
    """Add the three layers to a county."""
    for layer, kinds in _KINDS.items():
        meta, _, shapes, values = read(DATA / "natural_earth.gpkg", layer=layer)
        columns = dict(zip(meta["fields"], values, strict=True))
        fields = [{"name": name, "title": name, "kind": kind} for name, kind in kinds.items()]
        described = {"title": layer, "kind": "other", "geometry_type": _TYPES[meta["geometry_type"]], "fields": fields}
        connection.execute(
            insert(DistrictLayer).values(
                county_id=county_id, layer=layer, **described, source={}, version=1, loaded_by="a test"
            )
        )
        connection.execute(insert(District), list(_districts(county_id, layer, columns, kinds, shapes)))


def _districts(
    county_id: str, layer: str, columns: dict[str, Any], kinds: dict[str, str], shapes: Any
) -> Iterator[dict[str, Any]]:
    names = columns["NAME" if "NAME" in columns else "name"]
    bounds = shapely.bounds(shapely.from_wkb(shapes))
    for number, (name, shape, (west, south, east, north)) in enumerate(zip(names, shapes, bounds, strict=True)):
        attributes = {field: _value(kind, columns[field][number]) for field, kind in kinds.items()}
        yield {
            "county_id": county_id,
            "layer": layer,
            "district_id": f"{number:03}",
            "valid_from": date(2020, 1, 1),
            "name": name,
            "attributes": attributes,
            "geometry": shapely.to_wkb(shapely.from_wkb(shape), output_dimension=2, byte_order=1),
            "west": west,
            "south": south,
            "east": east,
            "north": north,
        }


def _value(kind: str, value: Any) -> object:
    """The value as JSON has it; None where it is missing."""
    match kind:
        case "text":
            return str(value)
        case "integer":
            return int(value)
        case "real":
            return float(value)
        case "boolean":
            return None if np.isnan(value) else bool(value)
        case _:
            ending = "Z" if kind == "datetime" else ""
            return None if np.isnat(value) else f"{value}{ending}"
