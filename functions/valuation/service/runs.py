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
    ModelOfClass,
    ResultFilter,
    RunResult,
    ValuationRun,
    ValuationRunRequest,
    ValuationRunResults,
    ValuationRunSummary,
)
from functions.valuation.service import model_selection
from functions.valuation.service.valuation_dates import refuse_far_ahead
from shared import jobs
from shared.db import unit_of_work
from shared.db.tenancy import require_onboarded
from shared.jobs.download import file_address
from shared.jobs.lifecycle import as_job
from shared.paging import Page, decode_token, encode_token
from shared.problems import NotFound


def require_models(county_id: str, request: ValuationRunRequest) -> None:
    """Raise Unprocessable for a model or a day that does not fit, Conflict without any champion."""
    refuse_far_ahead(request.valuation_date)
    with unit_of_work(county_id) as connection:
        require_onboarded(connection, county_id)
        model_selection.for_run(connection, county_id, request.model_id, request.valuation_date)


def page(county_id: str, *, page_size: int, page_token: str | None) -> Page[ValuationRun]:
    """The county's runs, the newest first."""
    query = ["valuation-runs", county_id]
    with unit_of_work(county_id) as connection:
        require_onboarded(connection, county_id)
        before = decode_token(query, page_token, datetime.fromisoformat, UUID)
        rows = runs.page(connection, county_id, before=before, limit=page_size + 1)
        items = _shown(connection, county_id, rows[:page_size])
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
        run = _shown(connection, county_id, [row])[0]
    return get(county_id, run_id) if jobs.fail_orphans(county_id, [row]) else run


def results_page(
    county_id: str, run_id: UUID, wanted: ResultFilter, *, page_size: int, page_token: str | None
) -> Page[RunResult]:
    """What a run says of each property, by id; of a run that goes on, what it has so far. Raises NotFound."""
    query = ["valuation-run-results", county_id, str(run_id), vars(wanted)]
    after = decode_token(query, page_token, str)
    with unit_of_work(county_id) as connection:
        if runs.find_with_job(connection, county_id, run_id) is None:
            raise NotFound(f"{county_id} has no valuation run {run_id}.", slug="valuation-run-not-found")
        rows = results.page(
            connection, county_id, run_id, wanted, after=after[0] if after else None, limit=page_size + 1
        )
    items = [_result(row) for row in rows[:page_size]]
    token = encode_token(query, [items[-1].property_id]) if len(rows) > page_size else None
    return Page[RunResult](items=items, next_page_token=token)


def summary(county_id: str, run_id: UUID) -> ValuationRunSummary:
    """The distribution of the changes. Raises NotFound, and Conflict while the run has not succeeded."""
    found = _results(county_id, run_id)
    return ValuationRunSummary(**{name: getattr(found, name) for name in ValuationRunSummary.model_fields})


def export_address(county_id: str, run_id: UUID, wanted: ExportFormat) -> str:
    """Where the results can be taken from, for 15 minutes. Raises NotFound, and Conflict while there are none."""
    return file_address(county_id, run_id, _results(county_id, run_id).files[wanted])


def _results(county_id: str, run_id: UUID) -> ValuationRunResults:
    return jobs.results(county_id, VALUATION_RUN, run_id)


def _shown(connection: Connection, county_id: str, rows: Sequence[Row[*tuple[Any, ...]]]) -> list[ValuationRun]:
    going = results.counts(connection, county_id, [row.job_id for row in rows if row.valued is None and row.models])
    standing = approvals.of_runs(connection, county_id, [row.job_id for row in rows])
    return [_run(county_id, row, going, standing.get(row.job_id, ())) for row in rows]


def _run(
    county_id: str, row: Row[*tuple[Any, ...]], going: Mapping[UUID, Counts], standing: Sequence[Approval]
) -> ValuationRun:
    if row.valued is not None:
        counts = Counts(row.valued, row.not_valued, row.review)
    else:
        counts = going.get(row.job_id, Counts(0, 0, 0))
    job = as_job(county_id, VALUATION_RUN, row)
    return ValuationRun(
        **job.model_copy(update={"parameters": _shortened(job.parameters)}).model_dump(),
        properties=row.properties,
        valued=counts.valued,
        not_valued=counts.not_valued,
        review=counts.review,
        models=tuple(ModelOfClass.model_validate(entry) for entry in row.models or ()),
        approvals=tuple(standing),
    )


def _shortened(parameters: dict[str, Any]) -> dict[str, Any]:
    """A run's parameters without thousands of ids: a page of runs would be megabytes."""
    wanted = parameters.get("filter") or {}
    ids = wanted.get("property_ids") or ()
    if len(ids) <= MAX_IDS_SHOWN:
        return parameters
    shown = {**wanted, "property_ids": ids[:MAX_IDS_SHOWN], "property_ids_total": len(ids)}
    return {**parameters, "filter": shown}


def _result(row: Row[*tuple[Any, ...]]) -> RunResult:
    known = dict(row._mapping)
    change = known.pop("change_percent")
    low, high = known.pop("lower"), known.pop("upper")
    return RunResult(**known, low=low, high=high, change_percent=None if change is None else float(change))
