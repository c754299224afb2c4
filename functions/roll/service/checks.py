"""Running the checks over a roll, and showing what they found."""

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from functions.roll.job_kinds import ROLL_CHECK
from functions.roll.repository import check_results, checked_roll, rolls, settings
from functions.roll.repository.checks import CHECKS, Check, parameters_of
from functions.roll.repository.county_checks import check_of
from functions.roll.schemas.checks import RollCheck, RollCheckRequest, RollCheckRow, RollCheckRun
from functions.roll.service.rolls import missing_roll
from shared import jobs
from shared.access import Caller
from shared.counties.roll_settings import CheckSeverity, RollSettings
from shared.db import unit_of_work
from shared.jobs import Job, RunningJob
from shared.paging import Page, decode_token, encode_token
from shared.problems import NotFound, Unprocessable


def submit(county_id: str, roll_year: int, *, caller: Caller, idempotency_key: str | None) -> Job:
    """Start the checks over a roll. Raises NotFound, and as `jobs.submit`."""
    request = RollCheckRequest(roll_year=roll_year)

    def check() -> None:
        with unit_of_work(county_id) as connection:
            if rolls.roll(connection, county_id, roll_year) is None:
                raise missing_roll(county_id, roll_year)

    return jobs.submit(county_id, ROLL_CHECK, request, caller=caller, idempotency_key=idempotency_key, check=check)


def run_job(job: RunningJob) -> RollCheckRun:
    """Run the checks over a roll, as a job."""
    request = RollCheckRequest.model_validate(job.parameters)
    with unit_of_work(job.county_id) as connection:
        run(connection, job.county_id, request.roll_year, job.submitted_by)
        results = check_results.results(connection, job.county_id, request.roll_year)
    blocking = blocking_checks(results)
    return RollCheckRun(roll_year=request.roll_year, certifiable=not blocking, checks=results)


def run(connection: Connection, county_id: str, roll_year: int, by: str) -> None:
    """Run every check over the roll as this transaction sees it, and keep what they find.

    Raises Unprocessable for a check of the county's own that the database cannot run.
    """
    own = settings.roll_settings(connection, county_id)
    parameters = parameters_of(county_id, roll_year, own)
    check_results.clear(connection, county_id, roll_year)
    checked_roll.make(connection, county_id, roll_year)
    for check in _all_checks(own):
        severity = _severity(check, own)
        try:
            with connection.begin_nested():
                check_results.run(connection, check, severity, parameters, by)
        except DBAPIError as error:
            if check in CHECKS:
                raise
            raise Unprocessable(
                f"The check {check.name} cannot be run: look at its rule in the county's configuration.",
                slug="check-not-runnable",
            ) from error


def list_checks(county_id: str, roll_year: int) -> list[RollCheck]:
    """Every check, with what it found when it ran last. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        if rolls.roll(connection, county_id, roll_year) is None:
            raise missing_roll(county_id, roll_year)
        own = settings.roll_settings(connection, county_id)
        found = {result.name: result for result in check_results.results(connection, county_id, roll_year)}
    return [
        found.get(check.name)
        or RollCheck(
            name=check.name,
            title=check.title,
            severity=_severity(check, own),
            owner=check.owner.value,
            rows=None,
            waived=None,
            ran_at=None,
            ran_by=None,
        )
        for check in _all_checks(own)
    ]


def rows_of(
    county_id: str, roll_year: int, check_name: str, *, page_size: int, page_token: str | None
) -> Page[RollCheckRow]:
    """A page of the rows that a check found when it ran last. Raises NotFound."""
    query = ["roll-check-rows", county_id, roll_year, check_name]
    after = decode_token(query, page_token, str)
    with unit_of_work(county_id) as connection:
        if rolls.roll(connection, county_id, roll_year) is None:
            raise missing_roll(county_id, roll_year)
        rows = check_results.rows_of(
            connection, county_id, roll_year, check_name, after=after[0] if after else "", limit=page_size + 1
        )
        if not rows:
            require_check(settings.roll_settings(connection, county_id), check_name)
    items = list(rows[:page_size])
    more = len(rows) > page_size
    return Page(items=items, next_page_token=encode_token(query, [items[-1].row_key]) if more else None)


def blocking_checks(results: list[RollCheck]) -> list[RollCheck]:
    """The checks that keep a roll from being certified: they block, and have rows without a waiver."""
    return [each for each in results if each.severity == "blocks" and (each.rows or 0) > (each.waived or 0)]


def require_check(own: RollSettings, name: str) -> None:
    """Raise NotFound for a check that there is not."""
    if name not in {check.name for check in _all_checks(own)}:
        raise NotFound(f"There is no check {name}.", slug="check-not-found")


def _all_checks(own: RollSettings) -> tuple[Check, ...]:
    return (*CHECKS, *(check_of(declared) for declared in own.checks))


def _severity(check: Check, own: RollSettings) -> CheckSeverity:
    return own.severities.get(check.name, check.severity)
