"""Routes of sales validation."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.sales_validation.domain.sale_records import FlagFilter
from functions.sales_validation.job_kinds import SALES_VALIDATION
from functions.sales_validation.schemas import (
    DecisionRequest,
    DecisionsRequest,
    FlaggedSale,
    Rule,
    SaleDecision,
    SaleReview,
)
from functions.sales_validation.service import review
from shared.access import Permission
from shared.api import Api, Operation, answer, declare_job_routes, faults_in_body, segment
from shared.api.paging import PageSize
from shared.paging import Page

api = Api("sales_validation")
handler = api.handler

_FLAGS = "/v1/counties/{county_id}/sales-flags"
_SALE = _FLAGS + "/{sale_id}"


declare_job_routes(
    api,
    SALES_VALIDATION,
    submit=Operation(
        "start_validation",
        "Validate the county's sales",
        "Flag the sales that are unfit as evidence of market value, by rules and against a model.",
    ),
    get=Operation("get_validation", "A sales validation's progress", "How a validation goes."),
    results=Operation(
        "get_validation_results", "The results of a sales validation", "How many sales each rule flagged."
    ),
)


@api.get(_FLAGS, permission=Permission.VIEW_VALUATION, summary="Flagged sales")
def list_flagged_sales(
    county_id: str,
    rule: Annotated[Rule | None, Query()] = None,
    property_id: Annotated[str | None, Query(max_length=200)] = None,
    decided: Annotated[bool | None, Query(description="whether a person's decision holds")] = None,
    page_size: PageSize = 100,
    page_token: Annotated[str | None, Query()] = None,
) -> Response[Page[FlaggedSale]]:
    """Sales with standing flags, by id: what there is to review. Flags alone exclude no sale from anything."""
    flag_filter = FlagFilter(rule=rule, property_id=property_id, decided=decided)
    return answer(review.flagged_sales(county_id, flag_filter, page_size=page_size, page_token=page_token))


@api.get(_SALE, permission=Permission.VIEW_VALUATION, summary="A sale's flags and decisions")
def get_sale_review(county_id: str, sale_id: str) -> Response[SaleReview]:
    """A sale's flags, with those that were cleared, and every decision."""
    return answer(review.sale_review(county_id, sale_id))


@api.post(_SALE + "/decisions", permission=Permission.APPROVE_VALUATION, summary="Decide on a sale", status=201)
def decide_on_sale(county_id: str, sale_id: str, body: DecisionRequest) -> Response[SaleDecision]:
    """Say that a sale is valid or invalid. Valuation and studies follow it from now on, whatever the code says."""
    decision = review.decide(county_id, sale_id, body, caller=api.caller, idempotency_key=api.idempotency_key)
    return answer(decision, 201, location=_SALE.format(county_id=county_id, sale_id=segment(sale_id)))


@api.post(
    "/v1/counties/{county_id}/sales-decisions",
    permission=Permission.APPROVE_VALUATION,
    summary="Decide on several sales",
    status=201,
)
def decide_on_several_sales(county_id: str, body: DecisionsRequest) -> Response[list[SaleDecision]]:
    """The same decision, with the same note, on up to 500 sales: on all of them or on none."""
    with faults_in_body():
        decisions = review.decide_on_several(county_id, body, caller=api.caller, idempotency_key=api.idempotency_key)
    return answer(decisions, 201)
