"""The validation of a county's sales as a job runs it."""

from collections import Counter

from functions.sales_validation.domain.outliers import compare_with_model, outliers
from functions.sales_validation.domain.rules import Thresholds, broken_rules
from functions.sales_validation.domain.sale_records import RaisedFlag
from functions.sales_validation.repository import validation as repository
from functions.sales_validation.schemas import Rule, SalesValidationRequest, SalesValidationResults
from shared.counties.configuration import SalesValidationSettings
from shared.db import unit_of_work
from shared.jobs import RunningJob


def run(job: RunningJob) -> SalesValidationResults:
    """Validate every current sale, and make the flags that this raises the standing ones."""
    request = SalesValidationRequest.model_validate(job.parameters)
    with unit_of_work(job.county_id) as connection:
        settings = repository.settings(connection, job.county_id)
        sales = repository.sale_records(connection, job.county_id)
        evidence = repository.evidence(connection, job.county_id)
    thresholds = _thresholds(request, settings)
    comparison = compare_with_model(evidence, job.progress)
    flags = [
        *broken_rules(sales, thresholds, comparison.values_by_sale(evidence)),
        *outliers(evidence, comparison, thresholds.outlier_deviations),
    ]
    with unit_of_work(job.county_id) as connection:
        job.commit(connection)
        changes = repository.replace_flags(connection, job.county_id, job.job_id, flags)
    return SalesValidationResults(
        sales=len(sales),
        flagged_sales=len({flag.sale_id for flag in flags}),
        flags=_counts(flags),
        new_flags=changes.added,
        cleared_flags=changes.cleared,
        tested_against_model=comparison.sales,
        notes=comparison.notes,
    )


def _counts(flags: list[RaisedFlag]) -> dict[Rule, int]:
    return dict(sorted(Counter(flag.rule for flag in flags).items()))


def _thresholds(request: SalesValidationRequest, settings: SalesValidationSettings) -> Thresholds:
    """The request's thresholds, and the county's settings for those that it leaves out."""
    merged = settings.model_copy(update=request.model_dump(exclude_none=True))
    return Thresholds(
        nominal_price=float(merged.nominal_price),
        flip_months=merged.flip_months,
        flip_change=merged.flip_change,
        outlier_deviations=merged.outlier_deviations,
        deed_types=merged.deed_types_not_market,
        sale_types=merged.sale_types_not_market,
    )
