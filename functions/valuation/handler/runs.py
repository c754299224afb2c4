"""Routes of valuation runs."""

from typing import Annotated, Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.valuation.handler.api import COUNTY, PageToken, api
from functions.valuation.repository.results import ResultFilter
from functions.valuation.repository.runs import KIND
from functions.valuation.schemas.runs import (
    ExportFormat,
    RunFlag,
    RunResult,
    ValuationRun,
    ValuationRunRequest,
    ValuationRunSummary,
)
from functions.valuation.service import runs
from shared.access import Permission
from shared.api import accepted, answer, declare_job_commands, see_other
from shared.api.paging import PageSize
from shared.jobs import Job
from shared.paging import Page

_ALL = COUNTY + "/valuation-runs"
_ONE = _ALL + "/{run_id}"
Filter = Annotated[str | None, Query(max_length=200)]


@api.post(_ALL, permission=Permission.RUN_VALUATION, summary="Value a county", status=202)
def start_valuation_run(county_id: str, body: ValuationRunRequest) -> Response[Job]:
    """Value every property of the current roll, or those of a filter, by the champions or the model that is named."""
    return accepted(runs.submit(county_id, body, caller=api.caller, idempotency_key=api.idempotency_key))


@api.get(_ALL, permission=Permission.VIEW_VALUATION, summary="Valuation runs, the newest first")
def list_valuation_runs(
    county_id: str, page_size: PageSize = 50, page_token: PageToken = None
) -> Response[Page[ValuationRun]]:
    """Every run of the county."""
    return answer(runs.page(county_id, page_size=page_size, page_token=page_token))


@api.get(_ONE, permission=Permission.VIEW_VALUATION, summary="One valuation run")
def get_valuation_run(county_id: str, run_id: UUID) -> Response[ValuationRun]:
    """How far it is, how many values are to be looked at, and what became of them."""
    return answer(runs.get(county_id, run_id))


declare_job_commands(api, _ONE, kind=KIND, permission=Permission.RUN_VALUATION)


@api.get(_ONE + "/results", permission=Permission.VIEW_VALUATION, summary="A run's values")
def list_valuation_results(
    county_id: str,
    run_id: UUID,
    review: Annotated[bool | None, Query(description="only the values to be looked at, or only the others")] = None,
    neighborhood: Filter = None,
    property_class: Filter = None,
    flag: Annotated[RunFlag | None, Query()] = None,
    valued: Annotated[bool | None, Query(description="only properties with a value, or only those without")] = None,
    page_size: PageSize = 100,
    page_token: PageToken = None,
) -> Response[Page[RunResult]]:
    """Each property's value, or the reason why it has none, by property id."""
    wanted = ResultFilter(review, neighborhood, property_class, flag, valued)
    return answer(runs.results_page(county_id, run_id, wanted, page_size=page_size, page_token=page_token))


@api.get(_ONE + "/summary", permission=Permission.VIEW_VALUATION, summary="What a run changes")
def get_valuation_summary(county_id: str, run_id: UUID) -> Response[ValuationRunSummary]:
    """The distribution of the changes from the current values: overall, by neighborhood and by class."""
    return answer(runs.summary(county_id, run_id))


@api.get(_ONE + "/download", permission=Permission.VIEW_VALUATION, summary="Take a run's values as a file", status=303)
def download_valuation_results(
    county_id: str, run_id: UUID, file_format: Annotated[ExportFormat, Query(alias="format")] = "csv"
) -> Response[Any]:
    """Redirect (303) to an address of the file that holds for 15 minutes."""
    return see_other(runs.export_address(county_id, run_id, file_format))
