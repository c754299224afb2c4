"""Routes of single values."""

from uuid import UUID

from aws_lambda_powertools.event_handler import Response

from functions.valuation.handler.api import COUNTY, api
from functions.valuation.schemas.valuations import ValuationRequest
from functions.valuation.service import valuations
from shared.access import Permission
from shared.api import answer, faults_in_body
from shared.contracts.valuation import ValuationResponse
from shared.jobs import Job

_ALL = COUNTY + "/valuations"


@api.post(_ALL, permission=Permission.RUN_VALUATION, summary="Value a property", status=201)
def value_property(county_id: str, body: ValuationRequest) -> Response[ValuationResponse | Job]:
    """Value a property now, by the champion of its class or the model that is named; the answer is stored.

    Only valid sales strictly before the valuation date are used, among them an earlier sale of the property itself.
    Where no champion fits the class and the day, the value is by adjusted comparable sales alone. The first such value
    of a class and a day needs a model of the county's sales: the answer is then 202 with the job that fits it, after
    which the same request has a value.
    """
    with faults_in_body():
        value = valuations.value(county_id, body, caller=api.caller, idempotency_key=api.idempotency_key)
    if isinstance(value, Job):
        return answer(value, 202, location=value.links["self"])
    return answer(value, 201, location=f"{_ALL.format(county_id=county_id)}/{value.valuation_id}")


@api.get(_ALL + "/{valuation_id}", permission=Permission.VIEW_VALUATION, summary="A valuation as it was given out")
def get_valuation(county_id: str, valuation_id: UUID) -> Response[ValuationResponse]:
    """A valuation as it was answered then; later sales do not change it."""
    return answer(valuations.get(county_id, valuation_id))
