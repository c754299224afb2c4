"""The jobs machine's task of sales validation."""

from collections import Counter

from functions.sales_validation.domain.outliers import compare_with_model, outliers
from functions.sales_validation.domain.rules import Thresholds, broken_rules
from functions.sales_validation.repository import validation as repository
from functions.sales_validation.repository.validation import FoundFlag
from functions.sales_validation.schemas import Rule, SalesValidationRequest, SalesValidationResults
from functions.sales_validation.service.requests import KIND
from shared.counties.configuration import SalesValidationSettings
from shared.db import unit_of_work
from shared.jobs import RunningJob, job_task


def run(job: RunningJob) -> SalesValidationResults:
    """Validate every current sale, and let exactly the flags stand that this finds."""
    request = SalesValidationRequest.model_validate(job.parameters)
    with unit_of_work(job.county_id) as connection:
        settings = repository.settings(connection, job.county_id)
        sales = repository.records(connection, job.county_id)
        evidence = repository.evidence(connection, job.county_id)
    thresholds = _thresholds(request, settings)
    tested = compare_with_model(evidence, job.progress)
    found = [
        *broken_rules(sales, thresholds, tested.by_sale(evidence)),
        *outliers(evidence, tested, thresholds.outlier_deviations),
    ]
    with unit_of_work(job.county_id) as connection:
        job.commit(connection)
        changes = repository.replace_flags(connection, job.county_id, job.job_id, found)
    return SalesValidationResults(
        sales=len(sales),
        flagged_sales=len({flag.sale_id for flag in found}),
        flags=_counts(found),
        new_flags=changes.added,
        cleared_flags=changes.cleared,
        tested_against_model=tested.sales,
        notes=tested.notes,
    )


def _counts(found: list[FoundFlag]) -> dict[Rule, int]:
    return dict(sorted(Counter(flag.rule for flag in found).items()))


def _thresholds(request: SalesValidationRequest, settings: SalesValidationSettings) -> Thresholds:
    """What the request names, and the county's settings for the rest."""
    asked = settings.model_copy(update=request.model_dump(exclude_none=True))
    return Thresholds(
        nominal_price=float(asked.nominal_price),
        flip_months=asked.flip_months,
        flip_change=asked.flip_change,
        outlier_deviations=asked.outlier_deviations,
        deed_types=asked.deed_types_not_market,
        sale_types=asked.sale_types_not_market,
    )


handler = job_task({KIND: run})
