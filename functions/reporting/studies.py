"""Ratio studies as their module left them: the very document that GET ratio-studies/{id}/results answers with.

What this module does not know of it is passed over here, and still stands in the report's JSON.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared import jobs
from shared.jobs import Job
from shared.problems import Conflict, Gone, NotFound, Unprocessable

KIND = "ratio_study"


class _Known(BaseModel):
    """A part of the document; fields that a newer study adds are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Statistic(_Known):
    """A statistic and its confidence interval, where the sample allows one."""

    value: float
    low: float | None = None
    high: float | None = None


class StatisticVerdict(_Known):
    """A statistic held against its range."""

    statistic: str
    result: str
    range_low: float
    range_high: float
    sentence: str


class Trimming(_Known):
    """How many ratios were left out as outliers, of how many beyond the fences."""

    trimmed: int
    beyond_fences: int
    low_fence: float
    high_fence: float
    capped: bool


class SalesChasing(_Known):
    """A test for sales chasing, as the report shows it; the sentence says by which rule."""

    suspected: bool
    sentence: str = ""


class ChasingTest(_Known):
    """Two groups of properties compared, in words."""

    suspected: bool
    sentence: str


class StudyResult(_Known):
    """One sample studied."""

    sales: int
    trimming: Trimming
    statistics: dict[str, Statistic]
    verdicts: list[StatisticVerdict]
    sales_chasing: SalesChasing | None = None
    notes: list[str] = Field(default_factory=list)


class StratumResult(_Known):
    """One stratum: its study, or why there is none."""

    stratum: str
    value: str
    sales: int
    study: StudyResult | None = None
    reason: str | None = None


class StudyDocument(_Known):
    """The whole study."""

    value_source: str
    sale_from: date
    sale_to: date
    valuation_date: date | None = None
    prices_time_adjusted: bool
    standard: str
    overall: StudyResult
    strata: list[StratumResult] = Field(default_factory=list)
    roll_year: int | None = None
    chasing_tests: list[ChasingTest] = Field(default_factory=list)
    sales_excluded: dict[str, int] = Field(default_factory=dict)


@dataclass(frozen=True)
class FinishedStudy:
    """A study, the job that made it, and its results word for word."""

    job: Job
    results: Mapping[str, Any]
    document: StudyDocument

    @property
    def finished_at(self) -> datetime:
        """When the study was made."""
        return self.job.finished_at or self.job.created_at


def require_succeeded(county_id: str, study_id: UUID) -> Job:
    """The job of a study that has results. Raises Unprocessable where there is none, Conflict where it has none."""
    try:
        job = jobs.get(county_id, KIND, study_id)
    except NotFound as error:
        raise Unprocessable(
            f"{county_id} has no ratio study {study_id}.",
            pointer="/body/parameters/ratio_study_id",
            slug="ratio-study-not-found",
        ) from error
    if job.status != "succeeded":
        raise Conflict(
            f"Ratio study {study_id} is {job.status}: a report needs one that has succeeded.",
            slug="ratio-study-not-succeeded",
        )
    return job


def read(county_id: str, study_id: UUID) -> FinishedStudy:
    """A study with its results. Raises as `require_succeeded` does, and Gone where they were lost or damaged since."""
    job = require_succeeded(county_id, study_id)
    try:
        results = jobs.results(county_id, KIND, study_id)
        return FinishedStudy(job, results, StudyDocument.model_validate(results))
    except (Gone, ValidationError) as error:
        raise Gone(
            f"The results of ratio study {study_id} are lost or damaged; make the study again, then the report of it.",
            slug="ratio-study-lost",
        ) from error
