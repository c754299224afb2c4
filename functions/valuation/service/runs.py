"""Valuation runs: asked for, looked at, taken away as files."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row

from functions.valuation.job_kinds import VALUATION_RUN
from functions.valuation.repository import approvals, results, runs
from functions.valuation.repository.results import Counts
from functions.valuation.schemas.runs import (
    MAX_IDS_SHOWN,
    Approval,
    ExportFormat,
    ResultFilter,
    RunResult,
    ValuationRun,
    ValuationRunRequest,
    ValuationRunResults,
)
from functions.valuation.service import model_selection
from functions.valuation.service.valuation_dates import require_within_horizon
from shared import jobs
from shared.contracts.valuation_run import ModelOfClass, ValuationRunSummary
from shared.db import unit_of_work
from shared.db.tenancy import require_onboarded
from shared.jobs.download import file_address
from shared.jobs.lifecycle import as_job
from shared.paging import Page, decode_token, encode_token
from shared.problems import NotFound


def require_models(county_id: str, request: ValuationRunRequest) -> None:
    """Raise Unprocessable for a model or a day that does not fit, Conflict without any champion."""
    require_within_horizon(request.valuation_date)
    with unit_of_work(county_id) as connection:
        require_onboarded(connection, county_id)
        model_selection.models_by_class(connection, county_id, request.model_id, request.valuation_date)


def page(county_id: str, *, page_size: int, page_token: str | None) -> Page[ValuationRun]:
    """The county's runs, the newest first."""
    query = ["valuation-runs", county_id]
    with unit_of_work(county_id) as connection:
        require_onboarded(connection, county_id)
        before = decode_token(query, page_token, datetime.fromisoformat, UUID)
        rows = runs.page(connection, county_id, before=before, limit=page_size + 1)
        items = _to_runs(connection, county_id, rows[:page_size])
    if jobs.fail_orphans(county_id, rows):
        return page(county_id, page_size=page_size, page_token=page_token)
    last = items[-1] if len(rows) > page_size else None
    token = encode_token(query, [last.created_at.isoformat(), str(last.id)]) if last else None
    return Page[ValuationRun](items=items, next_page_token=token)


def get(county_id: str, run_id: UUID) -> ValuationRun:
    """One run. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        row = runs.find_with_job(connection, county_id, run_id)
        if row is None:
            raise NotFound(f"{county_id} has no valuation run {run_id}.", slug="valuation-run-not-found")
        run = _to_runs(connection, county_id, [row])[0]
    return get(county_id, run_id) if jobs.fail_orphans(county_id, [row]) else run


def results_page(
    county_id: str, run_id: UUID, result_filter: ResultFilter, *, page_size: int, page_token: str | None
) -> Page[RunResult]:
    """A page of a run's results by property id; of a running one those so far. Raises NotFound."""
    query = ["valuation-run-results", county_id, str(run_id), vars(result_filter)]
    after = decode_token(query, page_token, str)
    with unit_of_work(county_id) as connection:
        if runs.find_with_job(connection, county_id, run_id) is None:
            raise NotFound(f"{county_id} has no valuation run {run_id}.", slug="valuation-run-not-found")
        rows = results.page(
            connection, county_id, run_id, result_filter, after=after[0] if after else None, limit=page_size + 1
        )
    items = [_to_result(row) for row in rows[:page_size]]
    token = encode_token(query, [items[-1].property_id]) if len(rows) > page_size else None
    return Page[RunResult](items=items, next_page_token=token)


def summary(county_id: str, run_id: UUID) -> ValuationRunSummary:
    """The distribution of the changes. Raises NotFound, and Conflict while the run has not succeeded."""
    stored = _results(county_id, run_id)
    return ValuationRunSummary(**{name: getattr(stored, name) for name in ValuationRunSummary.model_fields})


def export_address(county_id: str, run_id: UUID, file_format: ExportFormat) -> str:
    """The address of the results' file, valid for 15 minutes. Raises NotFound, and Conflict while there is none."""
    return file_address(county_id, run_id, _results(county_id, run_id).files[file_format])


def _results(county_id: str, run_id: UUID) -> ValuationRunResults:
    return jobs.results(county_id, VALUATION_RUN, run_id)


def _to_runs(connection: Connection, county_id: str, rows: Sequence[Row[*tuple[Any, ...]]]) -> list[ValuationRun]:
    progress = results.counts(connection, county_id, [row.job_id for row in rows if row.valued is None and row.models])
    standing = approvals.of_runs(connection, county_id, [row.job_id for row in rows])
    return [_to_run(county_id, row, progress, standing.get(row.job_id, ())) for row in rows]


def _to_run(
    county_id: str, row: Row[*tuple[Any, ...]], progress: Mapping[UUID, Counts], standing: Sequence[Approval]
) -> ValuationRun:
    if row.valued is not None:
        counts = Counts(row.valued, row.not_valued, row.review)
    else:
        counts = progress.get(row.job_id, Counts(0, 0, 0))
    job = as_job(county_id, VALUATION_RUN, row)
    return ValuationRun(
        **job.model_copy(update={"parameters": _without_long_lists(job.parameters)}).model_dump(),
        properties=row.properties,
        valued=counts.valued,
        not_valued=counts.not_valued,
        review=counts.review,
        models=tuple(ModelOfClass.model_validate(entry) for entry in row.models or ()),
        approvals=tuple(standing),
    )


def _without_long_lists(parameters: dict[str, Any]) -> dict[str, Any]:
    """A run's parameters without thousands of ids: a page of runs would be megabytes."""
    run_filter = parameters.get("filter") or {}
    ids = run_filter.get("property_ids") or ()
    if len(ids) <= MAX_IDS_SHOWN:
        return parameters
    shown = {**run_filter, "property_ids": ids[:MAX_IDS_SHOWN], "property_ids_total": len(ids)}
    return {**parameters, "filter": shown}


def _to_result(row: Row[*tuple[Any, ...]]) -> RunResult:
    columns = dict(row._mapping)
    change = columns.pop("change_percent")
    low, high = columns.pop("lower"), columns.pop("upper")
    return RunResult(**columns, low=low, high=high, change_percent=None if change is None else float(change))
