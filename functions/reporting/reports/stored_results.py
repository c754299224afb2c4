"""Results of other modules' jobs, read as the models that they share with reports."""

from typing import TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError

from functions.reporting.reports.succeeded_job import require_succeeded_job
from shared import jobs
from shared.problems import Gone

Model = TypeVar("Model", bound=BaseModel)


def read_results(model: type[Model], county_id: str, kind: str, job_id: UUID, pointer: str) -> Model:
    """The results of a job of a kind. Fields that a newer release has added are passed over.

    Raises as `require_succeeded_job` does, and Gone where they were lost or damaged since.
    """
    require_succeeded_job(county_id, kind, job_id, pointer)
    words = kind.replace("_", " ")
    try:
        return model.model_validate(jobs.raw_results(county_id, kind, job_id), extra="ignore")
    except (Gone, ValidationError) as error:
        raise Gone(
            f"The results of {words} {job_id} are lost or damaged; make it again, then the report of it.",
            slug=f"{kind.replace('_', '-')}-lost",
        ) from error
