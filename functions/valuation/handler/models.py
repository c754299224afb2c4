"""Routes of trained models."""

from uuid import UUID

from aws_lambda_powertools.event_handler import Response

from functions.valuation.handler.api import COUNTY, PageToken, api
from functions.valuation.repository.comparables_models import KIND as COMPARABLES_KIND
from functions.valuation.repository.models import KIND
from functions.valuation.schemas.models import (
    ComparablesModel,
    PromoteModel,
    ValuationModel,
    ValuationModelRequest,
    ValuationModelResults,
)
from functions.valuation.service import comparables_models, models
from shared.access import Permission
from shared.api import accepted, answer, declare_job_commands
from shared.api.paging import PageSize
from shared.jobs import Job
from shared.paging import Page

_ALL = COUNTY + "/valuation-models"
_ONE = _ALL + "/{model_id}"
_COMPARABLES = COUNTY + "/comparables-models/{model_id}"


@api.post(_ALL, permission=Permission.RUN_VALUATION, summary="Train a model", status=202)
def train_model(county_id: str, body: ValuationModelRequest) -> Response[Job]:
    """Train on the county's valid sales before the valuation date, and measure it on sales that it has not seen.

    A trained model is a challenger until somebody promotes it.
    """
    return accepted(models.submit(county_id, body, caller=api.caller, idempotency_key=api.idempotency_key))


@api.get(_ALL, permission=Permission.VIEW_VALUATION, summary="Models, the newest first")
def list_models(
    county_id: str, page_size: PageSize = 50, page_token: PageToken = None
) -> Response[Page[ValuationModel]]:
    """Every model that was trained or is being trained, with its standing and its accuracy."""
    return answer(models.page(county_id, page_size=page_size, page_token=page_token))


declare_job_commands(api, _ONE, kind=KIND, permission=Permission.RUN_VALUATION)
declare_job_commands(api, _COMPARABLES, kind=COMPARABLES_KIND, permission=Permission.RUN_VALUATION)


@api.get(_ONE, permission=Permission.VIEW_VALUATION, summary="One model")
def get_model(county_id: str, model_id: UUID) -> Response[ValuationModel]:
    """How its training goes, and once it has succeeded what it is known by."""
    return answer(models.get(county_id, model_id))


@api.get(_ONE + "/results", permission=Permission.VIEW_VALUATION, summary="A model's accuracy in full")
def get_model_results(county_id: str, model_id: UUID) -> Response[ValuationModelResults]:
    """A ratio study of the hold-out: overall, by neighborhood, class, price decile and quarter, and by component."""
    return answer(models.results(county_id, model_id))


@api.post(_ONE + "/promote", permission=Permission.APPROVE_VALUATION, summary="Make a model the champion")
def promote_model(county_id: str, model_id: UUID, body: PromoteModel) -> Response[ValuationModel]:
    """From now on it values its classes as of its day, and the champion before it is retired.

    A model whose hold-out does not meet the standard needs a reason.
    """
    return answer(models.promote(county_id, model_id, body, caller=api.caller))


@api.get(_COMPARABLES, permission=Permission.VIEW_VALUATION, summary="A comparable-sales model's progress")
def get_comparables_model(county_id: str, model_id: UUID) -> Response[Job]:
    """How the fitting of a model goes that a value without a champion asked for."""
    return answer(comparables_models.get(county_id, model_id))


@api.get(_COMPARABLES + "/results", permission=Permission.VIEW_VALUATION, summary="What was fitted")
def get_comparables_model_results(county_id: str, model_id: UUID) -> Response[ComparablesModel]:
    """Of which sales the model is, and how many others there are by reason."""
    return answer(comparables_models.results(county_id, model_id))
