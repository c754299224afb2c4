"""Routes of trained models."""

from uuid import UUID

from aws_lambda_powertools.event_handler import Response

from functions.valuation.handler.api import PageToken, api
from functions.valuation.job_kinds import COMPARABLES_MODEL, VALUATION_MODEL
from functions.valuation.schemas.models import PromoteModel, ValuationModel
from functions.valuation.service import models
from shared.access import Permission
from shared.api import Operation, answer, declare_job_routes
from shared.api.paging import PageSize
from shared.paging import Page

declare_job_routes(
    api,
    VALUATION_MODEL,
    submit=Operation(
        "train_model",
        "Train a model",
        "Train on the county's valid sales before the valuation date, and measure it on sales that it has not seen.\n\n"
        "A trained model is a challenger until somebody promotes it.",
    ),
    check=models.require_date_within_horizon,
    results=Operation(
        "get_model_results",
        "A model's accuracy in full",
        "A ratio study of the hold-out: overall, by neighborhood, class, price decile and quarter, and by component.",
    ),
)
declare_job_routes(
    api,
    COMPARABLES_MODEL,
    get=Operation(
        "get_comparables_model",
        "A comparable-sales model's progress",
        "The progress of fitting a model that a value without a champion asked for.",
    ),
    results=Operation(
        "get_comparables_model_results",
        "The results of a fit",
        "The sales that the model was fitted to, and the counts of the others by reason.",
    ),
)


@api.get(VALUATION_MODEL.collection_path, permission=VALUATION_MODEL.view, summary="Models, the newest first")
def list_models(
    county_id: str, page_size: PageSize = 50, page_token: PageToken = None
) -> Response[Page[ValuationModel]]:
    """Every model that was trained or is being trained, with its standing and its accuracy."""
    return answer(models.page(county_id, page_size=page_size, page_token=page_token))


@api.get(VALUATION_MODEL.path, permission=VALUATION_MODEL.view, summary="One model")
def get_model(county_id: str, model_id: UUID) -> Response[ValuationModel]:
    """The progress of its training, and once that has succeeded its summary."""
    return answer(models.get(county_id, model_id))


@api.post(
    VALUATION_MODEL.path + "/promote", permission=Permission.APPROVE_VALUATION, summary="Make a model the champion"
)
def promote_model(county_id: str, model_id: UUID, body: PromoteModel) -> Response[ValuationModel]:
    """From now on it values its classes as of its day, and the champion before it is retired.

    A model whose hold-out does not meet the standard needs a reason.
    """
    return answer(models.promote(county_id, model_id, body, caller=api.caller))
