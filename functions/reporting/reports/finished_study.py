"""Finished ratio studies with their results, as the ratio studies' module has stored them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from functions.reporting.reports.succeeded_job import require_succeeded_job
from shared import jobs, storage
from shared.contracts.ratio_study import STUDIED_SALES_FILE, RatioStudyResults, StudiedSales
from shared.jobs import JobRecord
from shared.problems import Gone, NotFound

_RATIO_STUDY = "ratio_study"


@dataclass(frozen=True)
class FinishedStudy:
    """A ratio study: its job, its results document word for word, and the same as a model."""

    job: JobRecord
    document: Mapping[str, Any]
    results: RatioStudyResults

    @property
    def finished_at(self) -> datetime:
        """The time at which the study was finished."""
        return self.job.finished_at or self.job.created_at


def require_succeeded(county_id: str, study_id: UUID, pointer: str = "/ratio_study_id") -> JobRecord:
    """The job of a study that has results. Raises as `require_succeeded_job` does."""
    return require_succeeded_job(county_id, _RATIO_STUDY, study_id, pointer)


def read_study(county_id: str, study_id: UUID, pointer: str = "/ratio_study_id") -> FinishedStudy:
    """A study with its results. Raises as `require_succeeded` does, and Gone where they were lost or damaged since."""
    job = require_succeeded(county_id, study_id, pointer)
    try:
        document = jobs.raw_results(county_id, _RATIO_STUDY, study_id)
        return FinishedStudy(job, document, results_model(document))
    except (Gone, ValidationError) as error:
        raise Gone(
            f"The results of ratio study {study_id} are lost or damaged; make the study again, then the report of it.",
            slug="ratio-study-lost",
        ) from error


def results_model(document: Mapping[str, Any]) -> RatioStudyResults:
    """The results as a model. Fields that a newer release has added are passed over; the document keeps them."""
    return RatioStudyResults.model_validate(document, extra="ignore")


def read_sales(county_id: str, study_id: UUID) -> StudiedSales | None:
    """The sales of a study one by one; None of a study that was made before they were kept.

    Raises Gone where they were damaged since.
    """
    try:
        content = storage.get(storage.county_key(county_id, "jobs", str(study_id), STUDIED_SALES_FILE))
    except NotFound:
        return None
    try:
        return StudiedSales.model_validate_json(content, extra="ignore")
    except ValidationError as error:
        raise Gone(
            f"The sales of ratio study {study_id} are damaged; make the study again.", slug="ratio-study-lost"
        ) from error
