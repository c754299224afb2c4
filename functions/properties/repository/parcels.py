"""SQL of parcels and their sales."""

from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, null, select, text, update

from functions.properties.schemas.parcels import PropertyDetail, PropertySale
from shared.db.compiled_select import CompiledSelect
from shared.db.models import BEGINS, PropertyOperational, Sale, SaleDecision, keep_versions
from shared.precedence import overrides

_DETAIL = [getattr(PropertyOperational, name) for name in PropertyDetail.model_fields]
_SALE = [
    *(getattr(Sale, name) for name in PropertySale.model_fields if name != "decision"),
    func.nullif(SaleDecision.decision, "as_coded").label("decision"),
]
_STANDING_DECISION = and_(
    SaleDecision.county_id == Sale.county_id,
    SaleDecision.sale_id == Sale.sale_id,
    SaleDecision.superseded_at.is_(None),
)
_FIND = CompiledSelect(
    select(*_DETAIL).where(
        PropertyOperational.county_id == bindparam("county_id"),
        PropertyOperational.property_id == bindparam("property_id"),
    )
)


def find(connection: Connection, county_id: str, property_id: str) -> PropertyDetail | None:
    """A property as it is now, retired ones too."""
    rows = _FIND.rows(connection, county_id=county_id, property_id=property_id)
    return PropertyDetail.model_construct(**rows[0]) if rows else None


def sales(connection: Connection, county_id: str, property_id: str) -> list[PropertySale]:
    """A property's transfers, newest first."""
    rows = connection.execute(
        select(*_SALE)
        .outerjoin(SaleDecision, _STANDING_DECISION)
        .where(Sale.county_id == county_id, Sale.property_id == property_id, Sale.retired_at.is_(None))
        .order_by(Sale.sale_date.desc(), Sale.sale_id)
    )
    return [PropertySale.model_construct(**row._mapping) for row in rows]


def lock(connection: Connection, county_id: str, property_id: str) -> int | None:
    """Hold a property until the transaction ends; its version, or None where there is no such property."""
    return connection.scalar(
        select(PropertyOperational.version)
        .where(PropertyOperational.county_id == county_id, PropertyOperational.property_id == property_id)
        .with_for_update()
    )


def supersede(
    connection: Connection, county_id: str, property_id: str, values: dict[str, Any], decision: overrides.Decision
) -> None:
    """Keep the present version in the history, and put `values` into the next one, which no run has made: from now on
    they stand until the source has other values for these fields.
    """
    mine = "WHERE t.county_id = :county_id AND t.property_id = :property_id"
    key = {"county_id": county_id, "property_id": property_id}
    connection.execute(text(keep_versions(PropertyOperational, mine, "NULL")), key)
    t: Any = PropertyOperational.__table__.alias("t")
    assignments = {name: null() if value is None else value for name, value in values.items()}
    changed = {**assignments, "version": t.c.version + 1, "valid_from": text(BEGINS), "sync_run_id": None}
    connection.execute(update(t).where(t.c.county_id == county_id, t.c.property_id == property_id).values(changed))
    overrides.record(
        connection, county_id, PropertyOperational, list(values), decision, "t.property_id = :property_id", key
    )
