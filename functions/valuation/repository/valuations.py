"""SQL of single valuations."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import insert

from shared.contracts.valuation import ValuationResponse
from shared.db.models import Valuation


@dataclass(frozen=True)
class SoldProperty:
    """A sale as a reader of a grid of comparables knows it."""

    sale_id: str
    property_id: str
    address: str | None
    sale_date: date


_SOLD = text(
    "SELECT s.sale_id, s.property_id, p.situs_address, s.sale_date FROM sales s"
    " LEFT JOIN properties_operational p ON p.county_id = s.county_id AND p.property_id = s.property_id"
    " WHERE s.county_id = :county_id AND s.sale_id = ANY (:sale_ids)"
)


@dataclass(frozen=True)
class StoredValuation:
    """A valuation as it was given out, and the digest of the request that asked for it."""

    request_digest: str
    response: ValuationResponse


def add(connection: Connection, county_id: str, valuation: ValuationResponse, request_digest: str) -> bool:
    """Store a valuation; False when there is one of that id already."""
    details: dict[str, Any] = valuation.model_dump(mode="json")
    statement = (
        insert(Valuation)
        .values(
            county_id=county_id,
            valuation_id=valuation.valuation_id,
            property_id=valuation.property_id,
            valuation_date=valuation.valuation_date,
            method=valuation.method,
            model_id=valuation.model.model_id if valuation.model else None,
            estimate=valuation.estimate,
            lower=valuation.interval.low,
            upper=valuation.interval.high,
            confidence=str(valuation.confidence),
            details=details,
            request_digest=request_digest,
            created_by=valuation.created_by,
            created_at=valuation.created_at,
        )
        .on_conflict_do_nothing()
    )
    return connection.execute(statement).rowcount == 1


def find(connection: Connection, county_id: str, valuation_id: UUID) -> StoredValuation | None:
    """A stored valuation, or None."""
    row = connection.execute(
        select(Valuation.request_digest, Valuation.details).where(
            Valuation.county_id == county_id, Valuation.valuation_id == valuation_id
        )
    ).one_or_none()
    if row is None:
        return None
    return StoredValuation(row.request_digest, ValuationResponse.model_validate(row.details))


def sold_properties(connection: Connection, county_id: str, sale_ids: Mapping[int, str]) -> dict[int, SoldProperty]:
    """Sales by position, from their ids by position; retired ones too."""
    rows = connection.execute(_SOLD, {"county_id": county_id, "sale_ids": list(sale_ids.values())})
    by_id = {row.sale_id: SoldProperty(row.sale_id, row.property_id, row.situs_address, row.sale_date) for row in rows}
    return {position: by_id[sale_id] for position, sale_id in sale_ids.items()}
