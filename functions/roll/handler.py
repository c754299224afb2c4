"""Routes of rolls."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path

from functions.roll import service
from functions.roll.schemas import CloseRoll, ReopenRoll, Roll, RollCorrection
from shared.access import Permission
from shared.api import Api, answer

api = Api("roll")
handler = api.handler

_ALL = "/v1/counties/{county_id}/rolls"
_ONE = _ALL + "/{roll_year}"
RollYear = Annotated[int, Path(ge=1900, le=2200)]


@api.get(_ALL, permission=Permission.VIEW_VALUATION, summary="The county's assessment rolls")
def list_rolls(county_id: str) -> Response[list[Roll]]:
    """Every roll year there are assessments of, newest first. A roll is open until it is closed."""
    return answer(service.all_rolls(county_id))


@api.get(_ONE, permission=Permission.VIEW_VALUATION, summary="One assessment roll")
def get_roll(county_id: str, roll_year: RollYear) -> Response[Roll]:
    """Its status, its parcels and their total value."""
    roll = service.one_roll(county_id, roll_year)
    return answer(roll, version=roll.version)


@api.get(_ONE + "/corrections", permission=Permission.VIEW_VALUATION, summary="A closed roll's corrections")
def list_corrections(county_id: str, roll_year: RollYear) -> Response[list[RollCorrection]]:
    """Numbered corrections since the roll was closed: approved syncs that change rows of it."""
    return answer(service.corrections(county_id, roll_year))


@api.post(_ONE + "/close", permission=Permission.APPROVE_VALUATION, summary="Close a roll")
def close_roll(county_id: str, roll_year: RollYear, body: CloseRoll) -> Response[Roll]:
    """From now on nothing changes it but numbered corrections: no values are approved to it or taken back, and a sync
    that would change rows of it waits for approval. Closing a closed roll changes nothing.
    """
    roll = service.set_status(county_id, roll_year, "closed", body.reason, caller=api.caller)
    return answer(roll, version=roll.version)


@api.post(_ONE + "/reopen", permission=Permission.APPROVE_VALUATION, summary="Open a closed roll again")
def reopen_roll(county_id: str, roll_year: RollYear, body: ReopenRoll) -> Response[Roll]:
    """For a roll that was closed by mistake; the reason is kept. An open roll stays as it is."""
    roll = service.set_status(county_id, roll_year, "open", body.reason, caller=api.caller)
    return answer(roll, version=roll.version)
