"""SQL of valuations."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from functions.valuation.schemas import ValuationResponse
from shared.db.models import Valuation


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
