"""The rules of rolls: a closed one takes no values any more."""

from sqlalchemy import Connection

from functions.roll.repository import certificates
from functions.roll.repository import rolls as repository
from functions.roll.schemas.rolls import Roll, RollCorrection, RollStatus
from shared import audit
from shared.access import Caller
from shared.db import lock_timeout, unit_of_work
from shared.db.tenancy import require_onboarded
from shared.problems import Conflict, NotFound
from shared.rolls import closing

_PATIENCE_S = 5


def all_rolls(county_id: str) -> list[Roll]:
    """The county's rolls, newest first. Raises NotFound for a county that is not onboarded."""
    with unit_of_work(county_id) as connection:
        require_onboarded(connection, county_id)
        return repository.rolls(connection, county_id)


def one_roll(county_id: str, roll_year: int) -> Roll:
    """The roll of one year. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        roll = repository.roll(connection, county_id, roll_year)
    if roll is None:
        raise missing_roll(county_id, roll_year)
    return roll


def corrections(county_id: str, roll_year: int) -> list[RollCorrection]:
    """Numbered corrections of a roll since it was closed. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        if repository.roll(connection, county_id, roll_year) is None:
            raise missing_roll(county_id, roll_year)
        return repository.corrections(connection, county_id, roll_year)


def set_status(county_id: str, roll_year: int, status: RollStatus, reason: str | None, *, caller: Caller) -> Roll:
    """Close a roll or open it again; asked for what it is already, it stays as it is.

    Raises NotFound, Conflict for a certified roll that is to be opened.
    """
    busy = Conflict("The roll is being written to; try again in a moment.", slug="roll-busy")
    with unit_of_work(county_id) as connection:
        with lock_timeout(connection, _PATIENCE_S, busy):
            closing.lock_roll(connection, county_id, roll_year)
        before = repository.roll(connection, county_id, roll_year)
        if before is None:
            raise missing_roll(county_id, roll_year)
        if before.status == status:
            return before
        if status == "open" and certificates.of_roll(connection, county_id, roll_year, before.version):
            raise Conflict(
                f"The roll of {roll_year} is certified: it takes supplements, and is not opened again.",
                slug="roll-certified",
            )
        return _change(connection, county_id, before, status, caller.username, reason)


def close(connection: Connection, county_id: str, roll: Roll, by: str, reason: str | None) -> Roll:
    """Close an open roll that this transaction has locked."""
    return _change(connection, county_id, roll, "closed", by, reason)


def _change(
    connection: Connection, county_id: str, before: Roll, status: RollStatus, by: str, reason: str | None
) -> Roll:
    repository.set_status(connection, county_id, before.roll_year, status, by, reason)
    action: audit.Action = "roll.closed" if status == "closed" else "roll.reopened"
    audit.record(
        connection,
        county_id,
        by,
        action,
        f"rolls/{before.roll_year}",
        {"reason": reason},
        old={"status": before.status},
        new={"status": status},
    )
    return repository.roll(connection, county_id, before.roll_year) or before


def missing_roll(county_id: str, roll_year: int) -> NotFound:
    """The problem of a year without assessments."""
    return NotFound(f"{county_id} has no assessments of {roll_year}.", slug="roll-not-found")
