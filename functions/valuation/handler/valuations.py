"""Routes of single values."""

from uuid import UUID

from aws_lambda_powertools.event_handler import Response

from functions.valuation.handler.api import COUNTY, api
from functions.valuation.schemas.valuations import ValuationRequest, ValuationResponse
from functions.valuation.service import valuing
from shared.access import Permission
from shared.api import answer
from shared.jobs import Job

_ALL = COUNTY + "/valuations"


@api.post(_ALL, permission=Permission.RUN_VALUATION, summary="Value a property", status=201)
def value_property(county_id: str, body: ValuationRequest) -> Response[ValuationResponse | Job]:
    """Value a property now, by the champion of its class or the model that is named; what is said is kept.

    Only valid sales strictly before the valuation date are used, among them an earlier sale of the property itself.
    Where no champion fits the class and the day, the value is by adjusted comparable sales alone. The first such value
    of a class and a day needs a model of the county's sales: the answer is then 202 with the job that fits it, after
    which the same request has a value.
    """
    made = valuing.value(county_id, body, caller=api.caller, idempotency_key=api.idempotency_key)
    if isinstance(made, Job):
        return answer(made, 202, location=made.links["self"])
    return answer(made, 201, location=f"{_ALL.format(county_id=county_id)}/{made.valuation_id}")


@api.get(_ALL + "/{valuation_id}", permission=Permission.VIEW_VALUATION, summary="A valuation as it was given out")
def get_valuation(county_id: str, valuation_id: UUID) -> Response[ValuationResponse]:
    """What was said then; later sales do not change it."""
    return answer(valuing.get(county_id, valuation_id))
