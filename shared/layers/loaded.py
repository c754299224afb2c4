"""Layers that a county has loaded: each with the columns that its source has, typed."""

from collections.abc import Iterable
from typing import get_args

from sqlalchemy import Connection, select

from shared.access import Permission
from shared.db.literals import escaped_literal
from shared.db.models import DistrictLayer
from shared.layers.catalog import STATIC_LAYERS
from shared.layers.districts import DISTRICT_BOUNDS, DISTRICT_IS_CURRENT
from shared.layers.model import NO_COORDINATE, Column, ColumnKind, Layer

_CASTS = {
    "text": "text",
    "integer": "bigint",
    "real": "double precision",
    "date": "date",
    "datetime": "timestamptz",
    "boolean": "boolean",
}


def read_layers(connection: Connection, county_id: str) -> dict[str, Layer]:
    """All layers of a county by name: those that every county has, and those that it loaded."""
    rows = connection.execute(
        select(DistrictLayer.layer, DistrictLayer.title, DistrictLayer.geometry_type, DistrictLayer.fields)
        .where(DistrictLayer.county_id == county_id)
        .order_by(DistrictLayer.layer)
    )
    loaded = {row.layer: _layer(row.layer, row.title, row.geometry_type, row.fields) for row in rows}
    return {**loaded, **STATIC_LAYERS}


def _layer(name: str, title: str, geometry_type: str, fields: Iterable[dict[str, str]]) -> Layer:
    return Layer(
        name=name,
        title=title,
        description=f"The present features of the layer {title}, as the county loaded them.",
        geometry=geometry_type,  # type: ignore[arg-type]  # the table checks it
        key="district_id",
        columns=tuple(_columns(fields)),
        tables="districts d",
        condition=f"{DISTRICT_IS_CURRENT} AND d.layer = {escaped_literal(name)}",
        shape="d.geometry",
        longitude=NO_COORDINATE,
        latitude=NO_COORDINATE,
        bounds=DISTRICT_BOUNDS,
        permission=Permission.VIEW_PROPERTIES,
    )


def _columns(fields: Iterable[dict[str, str]]) -> Iterable[Column]:
    """The feature's own columns, then its attributes: a field called name stands for the feature's name, and any other
    name that is used already gets a number.
    """
    fields = list(fields)
    own = [Column("district_id", "ID", "text", "d.district_id")]
    if all(field["name"].casefold() != "name" for field in fields):
        own.append(Column("name", "Name", "text", "d.name"))
    yield from own
    used = {column.name.casefold() for column in own}
    for field in fields:
        kind = field["kind"]
        if kind not in get_args(ColumnKind):
            continue
        name, number = field["name"], 2
        while name.casefold() in used:
            name, number = f"{field['name']}_{number}", number + 1
        used.add(name.casefold())
        expression = f"CAST(d.attributes ->> {escaped_literal(field['name'])} AS {_CASTS[kind]})"
        yield Column(name, field.get("title") or name, kind, expression, wide=kind == "integer")  # type: ignore[arg-type]
