"""SQL of values that were given out, and of the studies that belong to them."""

from uuid import UUID

from sqlalchemy import Connection, text

from shared.contracts.valuation import ValuationResponse

_NEWEST_STUDY = text(
    "SELECT job_id FROM jobs WHERE county_id = :county_id AND kind = 'ratio_study' AND status = 'succeeded'"
    " AND EXISTS (SELECT FROM neighborhood_ratios r WHERE r.county_id = jobs.county_id AND r.study_id = jobs.job_id)"
    " ORDER BY created_at DESC, job_id LIMIT 1"
)
_VALUATION = text(
    "SELECT details FROM valuations WHERE county_id = :county_id AND property_id = :property_id"
    " AND (CAST(:valuation_id AS uuid) IS NULL OR valuation_id = :valuation_id)"
    " ORDER BY created_at DESC, valuation_id LIMIT 1"
)


def valuation(
    connection: Connection, county_id: str, property_id: str, valuation_id: UUID | None
) -> ValuationResponse | None:
    """A value of a property as it was given out; without an id the newest. None where there is none."""
    keys = {"county_id": county_id, "property_id": property_id, "valuation_id": valuation_id}
    details = connection.scalar(_VALUATION, keys)
    return None if details is None else ValuationResponse.model_validate(details, extra="ignore")


def newest_study(connection: Connection, county_id: str) -> UUID | None:
    """The newest ratio study of the whole county that has figures of neighborhoods."""
    study_id: UUID | None = connection.scalar(_NEWEST_STUDY, {"county_id": county_id})
    return study_id
