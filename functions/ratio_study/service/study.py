"""The ratio study of a county as a job runs it."""

from __future__ import annotations

import numpy as np
from sqlalchemy import Connection

from functions.ratio_study import repository
from functions.ratio_study.domain.parameters import MAX_NAMED_ATTRIBUTES
from functions.ratio_study.domain.study import make_study
from functions.ratio_study.domain.study_sales import StudySales
from functions.ratio_study.schemas import ATTRIBUTE_PREFIX, NEIGHBORHOOD, RatioStudyRequest, StudyFilter
from shared import storage
from shared.appraisal.errors import AppraisalInputError
from shared.contracts.ratio_study import STUDIED_SALES_FILE, RatioStudyResults
from shared.db import unit_of_work
from shared.jobs import RunningJob
from shared.problems import Unprocessable


def run(job: RunningJob) -> RatioStudyResults:
    """Read the county's sales and study them.

    Raises Unprocessable for a roll without values of sold properties, for a stratum by an attribute that nothing has,
    and where there are too few sales for a study.
    """
    request = RatioStudyRequest.model_validate(job.parameters)
    with unit_of_work(job.county_id) as connection:
        sales = repository.study_sales(connection, job.county_id, request)
        _require_roll_values(job.county_id, request, sales)
        _require_known_attributes(connection, job.county_id, request, sales)
    try:
        study = make_study(request, sales, job.progress)
    except AppraisalInputError as error:
        raise Unprocessable(f"The study cannot be made: {error.problem}.", slug="ratio-study-not-possible") from error
    storage.put(job.key(STUDIED_SALES_FILE), study.sales.model_dump_json().encode(), "application/json")
    _keep_figures_of_neighborhoods(job, request, study.results)
    return study.results


def _keep_figures_of_neighborhoods(job: RunningJob, request: RatioStudyRequest, results: RatioStudyResults) -> None:
    """Keep what is shown beside each neighborhood, where the study is of the whole county."""
    strata = [stratum for stratum in results.strata if stratum.stratum == NEIGHBORHOOD]
    if strata and request.filter == StudyFilter():
        with unit_of_work(job.county_id) as connection:
            repository.keep_neighborhood_ratios(connection, job.county_id, job.job_id, strata)


def _require_roll_values(county_id: str, request: RatioStudyRequest, sales: StudySales) -> None:
    if request.value_source != "roll" or sales.stored_value is None or np.isfinite(sales.stored_value).any():
        return
    raise Unprocessable(
        f"{county_id} has no sold property with a value in the roll of {request.roll_year}.", slug="roll-year-not-found"
    )


def _require_known_attributes(
    connection: Connection, county_id: str, request: RatioStudyRequest, sales: StudySales
) -> None:
    """Raise Unprocessable for a stratum by an attribute that no sold property has: a mistyped name is no stratum."""
    for name in request.strata:
        if not name.startswith(ATTRIBUTE_PREFIX) or any(value is not None for value in sales.columns[name]):
            continue
        known = repository.attribute_names(connection, county_id)
        listed = ", ".join(known[:MAX_NAMED_ATTRIBUTES]) + (", ..." if len(known) > MAX_NAMED_ATTRIBUTES else "")
        raise Unprocessable(
            f"No sold property has the attribute {name.removeprefix(ATTRIBUTE_PREFIX)!r}: there is no stratum {name}."
            f" Attributes that they have: {listed or 'none'}.",
            slug="stratum-unknown",
        )
