"""Routes of valuation runs."""

from typing import Annotated, Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.valuation.handler.api import PageToken, api
from functions.valuation.job_kinds import VALUATION_RUN
from functions.valuation.schemas.runs import ExportFormat, ResultFilter, RunFlag, RunResult, ValuationRun
from functions.valuation.service import runs
from shared.api import Operation, answer, declare_job_routes, see_other
from shared.api.paging import PageSize
from shared.contracts.valuation_run import ValuationRunSummary
from shared.paging import Page

Filter = Annotated[str | None, Query(max_length=200)]


declare_job_routes(
    api,
    VALUATION_RUN,
    submit=Operation(
        "start_valuation_run",
        "Value a county",
        "Value every property of the current roll, or those of a filter, by the champions or the model that is named.",
    ),
    check=runs.require_models,
)


@api.get(VALUATION_RUN.collection_path, permission=VALUATION_RUN.view, summary="Valuation runs, the newest first")
def list_valuation_runs(
    county_id: str, page_size: PageSize = 50, page_token: PageToken = None
) -> Response[Page[ValuationRun]]:
    """Every run of the county."""
    return answer(runs.page(county_id, page_size=page_size, page_token=page_token))


@api.get(VALUATION_RUN.path, permission=VALUATION_RUN.view, summary="One valuation run")
def get_valuation_run(county_id: str, run_id: UUID) -> Response[ValuationRun]:
    """Its progress, the number of values to be reviewed, and the approvals of its values."""
    return answer(runs.get(county_id, run_id))


@api.get(VALUATION_RUN.path + "/results", permission=VALUATION_RUN.view, summary="A run's values")
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
    result_filter = ResultFilter(review, neighborhood, property_class, flag, valued)
    return answer(runs.results_page(county_id, run_id, result_filter, page_size=page_size, page_token=page_token))


@api.get(VALUATION_RUN.path + "/summary", permission=VALUATION_RUN.view, summary="A run's changes of values")
def get_valuation_summary(county_id: str, run_id: UUID) -> Response[ValuationRunSummary]:
    """The distribution of the changes from the current values: overall, by neighborhood and by class."""
    return answer(runs.summary(county_id, run_id))


@api.get(
    VALUATION_RUN.path + "/download", permission=VALUATION_RUN.view, summary="Take a run's values as a file", status=303
)
def download_valuation_results(
    county_id: str, run_id: UUID, file_format: Annotated[ExportFormat, Query(alias="format")] = "csv"
) -> Response[Any]:
    """Redirect (303) to an address of the file that holds for 15 minutes."""
    return see_other(runs.export_address(county_id, run_id, file_format))
