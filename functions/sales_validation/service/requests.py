"""Sales validations as jobs: submitted, looked at, and their results."""

from uuid import UUID

from functions.sales_validation.schemas import SalesValidationRequest, SalesValidationResults
from shared import jobs
from shared.access import Caller
from shared.jobs import Job

KIND = "sales_validation"


def submit(county_id: str, request: SalesValidationRequest, *, caller: Caller, idempotency_key: str | None) -> Job:
    """Start a validation."""
    return jobs.submit(county_id, KIND, request, caller=caller, idempotency_key=idempotency_key)


def get(county_id: str, validation_id: UUID) -> Job:
    """A validation's job. Raises NotFound."""
    return jobs.get(county_id, KIND, validation_id)


def results(county_id: str, validation_id: UUID) -> SalesValidationResults:
    """The results of a validation. Raises NotFound, and Conflict while it has not succeeded."""
    return jobs.results_as(SalesValidationResults, county_id, KIND, validation_id)
