"""SQL of one property: its record, and the parcels around it."""
# ruff: noqa: S608 - names of ours

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, select, text

from functions.reporting.domain.parameters import MAX_MAP_PARCELS, MAX_RATIO_MAP_PARCELS
from functions.reporting.domain.parcel_shapes import MapParcel, MapWindow, Position
from functions.reporting.domain.property_record import (
    BuildingRecord,
    Characteristics,
    ExemptionRecord,
    FieldChangeRecord,
    OwnerRecord,
    PropertyIdentity,
    PropertyRecord,
    SaleRecord,
    YearValue,
    latest_change,
)
from shared.db.models import VERSION_ENDS, PropertyOperational, history_table
from shared.precedence.field_changes import changed_fields
from shared.sale_validity import DECISION_JOIN, SALE_VALIDITY
from shared.schemas import Schema

_NOT_COMPARED = frozenset(
    {"county_id", "property_id", "source_system", "sync_run_id", "row_hash", "version", "valid_from", "retired_at"}
    | {"geometry", "location"}
    | VERSION_ENDS
)
_OWN = "county_id = :county_id AND property_id = :property_id AND retired_at IS NULL"

_VALUES = text(
    "SELECT roll_year, property_class, land_value, improvement_value, total_value, assessed_value FROM assessments"
    f" WHERE {_OWN} ORDER BY roll_year DESC, assessment_id"
)
_IMPROVEMENTS = text(
    "SELECT improvement_id, improvement_type, description, area_sqft, year_built, quality, condition,"
    f" improvement_value FROM improvements WHERE {_OWN} ORDER BY improvement_id"
)
_SALES = text(
    f"SELECT s.sale_id, s.sale_date, s.sale_price, {SALE_VALIDITY} AS validity, s.deed_type, s.instrument_number"
    f" FROM sales s{DECISION_JOIN} WHERE s.county_id = :county_id AND s.property_id = :property_id"
    " AND s.retired_at IS NULL ORDER BY s.sale_date DESC, s.sale_id"
)
_OWNERS = text(
    "SELECT CASE WHEN confidential IS NOT TRUE THEN name END AS name, ownership_share,"
    " CASE WHEN confidential IS NOT TRUE THEN"
    " nullif(concat_ws(', ', mailing_address, mailing_city,"
    " nullif(concat_ws(' ', mailing_state, mailing_zip), '')), '') END"
    f" AS mailing, confidential IS TRUE AS withheld FROM owners WHERE {_OWN} ORDER BY owner_id"
)
_EXEMPTIONS = text(
    f"SELECT exemption_type, roll_year, amount FROM exemptions WHERE {_OWN}"
    " ORDER BY roll_year DESC NULLS LAST, exemption_id"
)


def property_exists(connection: Connection, county_id: str, property_id: str) -> bool:
    """True for a property of the county, retired ones included."""
    key = (PropertyOperational.county_id == county_id, PropertyOperational.property_id == property_id)
    return connection.scalar(select(PropertyOperational.property_id).where(*key)) is not None


def property_record(connection: Connection, county_id: str, property_id: str) -> PropertyRecord | None:
    """A property's record, or None."""
    table = PropertyOperational.__table__
    key = (table.c.county_id == county_id, table.c.property_id == property_id)
    found = connection.execute(select(table).where(*key)).mappings().one_or_none()
    if found is None:
        return None
    row = dict(found)
    values = _parts(connection, YearValue, _VALUES, {"county_id": county_id, "property_id": property_id})
    own = {"county_id": county_id, "property_id": property_id}
    return PropertyRecord(
        identity=_part(PropertyIdentity, row),
        characteristics=_part(Characteristics, {**row, "attributes": row["attributes"] or {}}),
        land_value=row["land_value"],
        improvement_value=row["improvement_value"],
        total_value=row["total_value"],
        values=values,
        change=latest_change(values),
        improvements=_parts(connection, BuildingRecord, _IMPROVEMENTS, own),
        sales=_parts(connection, SaleRecord, _SALES, own),
        owners=_parts(connection, OwnerRecord, _OWNERS, own),
        exemptions=_parts(connection, ExemptionRecord, _EXEMPTIONS, own),
        history=_history(connection, county_id, property_id, row),
    )


def _part(schema: type[Any], row: Mapping[str, Any]) -> Any:
    return schema.model_validate({name: row[name] for name in schema.model_fields})


def _parts(connection: Connection, schema: type[Schema], statement: Any, own: dict[str, str]) -> tuple[Any, ...]:
    return tuple(_part(schema, dict(row)) for row in connection.execute(statement, own).mappings())


def _history(
    connection: Connection, county_id: str, property_id: str, current: Mapping[str, Any]
) -> tuple[FieldChangeRecord, ...]:
    """The changes of the property's fields, the newest first."""
    history = history_table(PropertyOperational)
    statement = (
        select(history)
        .where(history.c.county_id == county_id, history.c.property_id == property_id)
        .order_by(history.c.version.desc())
    )
    versions = [current, *(dict(row) for row in connection.execute(statement).mappings())]
    return tuple(
        FieldChangeRecord(
            changed_at=after["valid_from"],
            version=after["version"],
            field=name,
            before=None if old is None else str(old),
            after=None if new is None else str(new),
        )
        for after, before in pairwise(versions)
        for name, (old, new) in sorted(changed_fields(_compared(before), _compared(after)).items())
    )


def _compared(version: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in version.items() if name not in _NOT_COMPARED}


def own_parcel(connection: Connection, county_id: str, property_id: str) -> MapParcel | None:
    """The parcel on a map; None for one without a position."""
    found = _map_parcels(
        connection,
        "property_id = :property_id AND longitude IS NOT NULL",
        {"county_id": county_id, "property_id": property_id},
    )
    return found[0] if found else None


def parcels_within(connection: Connection, county_id: str, window: MapWindow) -> list[MapParcel]:
    """The current parcels whose positions are in a window, the nearest to its middle first, up to a limit."""
    return _map_parcels(
        connection,
        "retired_at IS NULL AND longitude BETWEEN :west AND :east AND latitude BETWEEN :south AND :north"
        " ORDER BY abs(longitude - (CAST(:west AS double precision) + :east) / 2)"
        " + abs(latitude - (CAST(:south AS double precision) + :north) / 2), property_id"
        f" LIMIT {MAX_MAP_PARCELS}",
        {"county_id": county_id, **window.bounds()},
    )


def parcels_of(connection: Connection, county_id: str, property_ids: Sequence[str]) -> list[MapParcel]:
    """Parcels by id, those that have a position."""
    return _map_parcels(
        connection,
        "property_id = ANY (:property_ids) AND longitude IS NOT NULL ORDER BY property_id",
        {"county_id": county_id, "property_ids": list(property_ids)},
    )


def _map_parcels(connection: Connection, condition: str, values: dict[str, Any]) -> list[MapParcel]:
    rows = connection.execute(
        text(
            "SELECT property_id, longitude, latitude, geometry FROM properties_operational"
            f" WHERE county_id = :county_id AND latitude IS NOT NULL AND {condition}"
        ),
        values,
    )
    return [MapParcel(row.property_id, (row.longitude, row.latitude), row.geometry) for row in rows]


def placed_parcels(connection: Connection, county_id: str) -> list[tuple[Position, str]]:
    """Positions of current parcels with their neighborhoods: all, or as many as a map shows, the same each time."""
    rows = connection.execute(
        text(
            "SELECT longitude, latitude, coalesce(neighborhood, '') AS neighborhood FROM properties_operational"
            " WHERE county_id = :county_id AND retired_at IS NULL AND longitude IS NOT NULL AND latitude IS NOT NULL"
            f" ORDER BY md5(property_id) LIMIT {MAX_RATIO_MAP_PARCELS}"
        ),
        {"county_id": county_id},
    )
    return [((row.longitude, row.latitude), row.neighborhood) for row in rows]
