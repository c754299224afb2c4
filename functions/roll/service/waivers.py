"""Waivers: a person's reason why what a check finds does not keep a roll from being certified."""

from uuid import UUID

from functions.roll.repository import rolls, settings
from functions.roll.repository import waivers as repository
from functions.roll.schemas.checks import Waiver, WaiverRequest
from functions.roll.service.checks import require_check
from functions.roll.service.rolls import missing_roll
from shared import audit
from shared.access import Caller
from shared.db import unit_of_work
from shared.jobs.lifecycle import deterministic_id, digest, refuse_reused_key
from shared.problems import Conflict, NotFound


def list_waivers(county_id: str, roll_year: int) -> list[Waiver]:
    """Every waiver of a roll, withdrawn ones too. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        if rolls.roll(connection, county_id, roll_year) is None:
            raise missing_roll(county_id, roll_year)
        return repository.of_roll(connection, county_id, roll_year)


def waive(
    county_id: str, roll_year: int, request: WaiverRequest, *, caller: Caller, idempotency_key: str | None
) -> Waiver:
    """Make a waiver. Raises NotFound for a check that there is not, Conflict where one stands for the same."""
    waiver_id = deterministic_id(county_id, f"waiver of {roll_year}", caller, idempotency_key)
    request_digest = digest(request)
    with unit_of_work(county_id) as connection:
        if rolls.roll(connection, county_id, roll_year) is None:
            raise missing_roll(county_id, roll_year)
        require_check(settings.roll_settings(connection, county_id), request.check_name)
        values = {
            **request.model_dump(),
            "county_id": county_id,
            "roll_year": roll_year,
            "waiver_id": waiver_id,
            "request_digest": request_digest,
            "waived_by": caller.username,
        }
        added = repository.add(connection, values)
        stored = repository.find(connection, county_id, roll_year, waiver_id)
        if stored is None:
            raise Conflict("A waiver of this stands already.", slug="waiver-exists")
        refuse_reused_key(stored[1], request_digest)
        if added:
            audit.record(
                connection,
                county_id,
                caller.username,
                "roll.check_waived",
                f"rolls/{roll_year}",
                {"waiver_id": str(waiver_id)},
                new=request.model_dump(mode="json"),
            )
    return stored[0]


def withdraw(county_id: str, roll_year: int, waiver_id: UUID, *, caller: Caller) -> None:
    """Withdraw a waiver; one that was withdrawn before is as good. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        stored = repository.find(connection, county_id, roll_year, waiver_id)
        if stored is None:
            raise NotFound(f"The roll of {roll_year} has no waiver {waiver_id}.", slug="waiver-not-found")
        if repository.withdraw(connection, county_id, waiver_id, caller.username):
            waiver = stored[0].model_dump(mode="json", include={"check_name", "row_key", "reason"})
            audit.record(
                connection,
                county_id,
                caller.username,
                "roll.waiver_withdrawn",
                f"rolls/{roll_year}",
                {"waiver_id": str(waiver_id)},
                old=waiver,
            )
