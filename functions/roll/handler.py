"""Routes of rolls."""

from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from functions.roll.job_kinds import CERTIFICATE_VERIFICATION, ROLL_CERTIFICATION, ROLL_CHECK
from functions.roll.schemas.certificates import Certificate, CertifyRoll
from functions.roll.schemas.checks import RollCheck, RollCheckRow, Waiver, WaiverRequest
from functions.roll.schemas.comparison import RollYearComparison
from functions.roll.schemas.rolls import CloseRoll, ReopenRoll, Roll, RollCorrection
from functions.roll.service import certification, checks, comparison, rolls, waivers
from shared.access import Permission
from shared.api import Api, Operation, accepted, answer, declare_job_routes, no_content, see_other
from shared.api.paging import PageSize
from shared.jobs import Job
from shared.paging import Page

api = Api("roll")
handler = api.handler

_ALL = "/v1/counties/{county_id}/rolls"
_ONE = _ALL + "/{roll_year}"
RollYear = Annotated[int, Path(ge=1900, le=2200)]


@api.get(_ALL, permission=Permission.VIEW_VALUATION, summary="The county's assessment rolls")
def list_rolls(county_id: str) -> Response[list[Roll]]:
    """Every roll year there are assessments of, newest first. A roll is open until it is closed."""
    return answer(rolls.all_rolls(county_id))


@api.get(_ONE, permission=Permission.VIEW_VALUATION, summary="One assessment roll")
def get_roll(county_id: str, roll_year: RollYear) -> Response[Roll]:
    """Its status, its parcels and their total value."""
    roll = rolls.one_roll(county_id, roll_year)
    return answer(roll, version=roll.version)


@api.get(_ONE + "/corrections", permission=Permission.VIEW_VALUATION, summary="A closed roll's corrections")
def list_corrections(county_id: str, roll_year: RollYear) -> Response[list[RollCorrection]]:
    """Numbered corrections since the roll was closed: approved syncs that change rows of it."""
    return answer(rolls.corrections(county_id, roll_year))


@api.post(_ONE + "/close", permission=Permission.APPROVE_VALUATION, summary="Close a roll")
def close_roll(county_id: str, roll_year: RollYear, body: CloseRoll) -> Response[Roll]:
    """From now on nothing changes it but numbered corrections: no values are approved to it or taken back, and a sync
    that would change rows of it waits for approval. Closing a closed roll changes nothing.
    """
    roll = rolls.set_status(county_id, roll_year, "closed", body.reason, caller=api.caller)
    return answer(roll, version=roll.version)


@api.post(_ONE + "/reopen", permission=Permission.APPROVE_VALUATION, summary="Open a closed roll again")
def reopen_roll(county_id: str, roll_year: RollYear, body: ReopenRoll) -> Response[Roll]:
    """For a roll that was closed by mistake; the reason is kept. A certified roll stays closed (409)."""
    roll = rolls.set_status(county_id, roll_year, "open", body.reason, caller=api.caller)
    return answer(roll, version=roll.version)


@api.post(_ONE + "/checks", permission=ROLL_CHECK.run, summary="Check a roll", status=202)
def run_roll_checks(county_id: str, roll_year: RollYear) -> Response[Job]:
    """Every check runs over the roll as it is; what they find replaces what they found before."""
    return accepted(checks.submit(county_id, roll_year, caller=api.caller, idempotency_key=api.idempotency_key))


@api.get(_ONE + "/checks", permission=Permission.VIEW_VALUATION, summary="The checks over a roll")
def list_roll_checks(county_id: str, roll_year: RollYear) -> Response[list[RollCheck]]:
    """The platform's checks and the county's own, with what each found when it ran last."""
    return answer(checks.list_checks(county_id, roll_year))


@api.get(_ONE + "/checks/{check_name}/rows", permission=Permission.VIEW_VALUATION, summary="The rows of a check")
def list_roll_check_rows(
    county_id: str,
    roll_year: RollYear,
    check_name: str,
    page_size: PageSize = 100,
    page_token: Annotated[str | None, Query()] = None,
) -> Response[Page[RollCheckRow]]:
    """The rows that a check found when it ran last, by key: 100,000 at most."""
    return answer(checks.rows_of(county_id, roll_year, check_name, page_size=page_size, page_token=page_token))


@api.get(_ONE + "/waivers", permission=Permission.VIEW_VALUATION, summary="The waivers of a roll")
def list_waivers(county_id: str, roll_year: RollYear) -> Response[list[Waiver]]:
    """Every waiver, withdrawn ones too, in the order in which they were made."""
    return answer(waivers.list_waivers(county_id, roll_year))


@api.post(_ONE + "/waivers", permission=Permission.APPROVE_VALUATION, summary="Waive a check", status=201)
def waive_check(county_id: str, roll_year: RollYear, body: WaiverRequest) -> Response[Waiver]:
    """A check, or one of its rows, does not keep the roll from being certified; the reason is in the certificate."""
    waiver = waivers.waive(county_id, roll_year, body, caller=api.caller, idempotency_key=api.idempotency_key)
    return answer(waiver, status=201)


@api.delete(_ONE + "/waivers/{waiver_id}", permission=Permission.APPROVE_VALUATION, summary="Withdraw a waiver")
def withdraw_waiver(county_id: str, roll_year: RollYear, waiver_id: UUID) -> Response[None]:
    """It stays on record; what it waived counts again."""
    waivers.withdraw(county_id, roll_year, waiver_id, caller=api.caller)
    return no_content()


@api.post(_ONE + "/certify", permission=ROLL_CERTIFICATION.run, summary="Certify a roll", status=202)
def certify_roll(county_id: str, roll_year: RollYear, body: CertifyRoll) -> Response[Job]:
    """Checks the roll, closes it where no check that blocks has a row without a waiver, and makes its manifest.

    A certified roll stays as it is; supplements that it has had since get their certificates.
    """
    job = certification.submit(county_id, roll_year, body, caller=api.caller, idempotency_key=api.idempotency_key)
    return accepted(job)


@api.get(_ONE + "/certificate", permission=Permission.VIEW_VALUATION, summary="A roll's certificate")
def get_certificate(county_id: str, roll_year: RollYear) -> Response[Certificate]:
    """Who certified the roll when, with which totals, checks and waivers, and its supplements since."""
    return answer(certification.certificate(county_id, roll_year))


@api.get(
    _ONE + "/certificate/manifest",
    permission=Permission.VIEW_VALUATION,
    summary="The manifest of a certified roll",
    status=303,
)
def get_manifest(
    county_id: str,
    roll_year: RollYear,
    supplement: Annotated[int, Query(ge=0, le=1_000_000, description="A supplement's number; 0: the roll's own.")] = 0,
) -> Response[None]:
    """Redirects to an address of the manifest, which ends after 15 minutes: a line of JSON for the statement, then one
    for each row with its digest (SHA-256).
    """
    return see_other(certification.manifest_address(county_id, roll_year, supplement))


@api.post(
    _ONE + "/certificate/verify", permission=CERTIFICATE_VERIFICATION.run, summary="Verify a certificate", status=202
)
def verify_certificate(county_id: str, roll_year: RollYear) -> Response[Job]:
    """Makes every manifest again from the rows and their history, byte for byte, and applies the supplements."""
    job = certification.submit_verification(
        county_id, roll_year, caller=api.caller, idempotency_key=api.idempotency_key
    )
    return accepted(job)


@api.get(_ONE + "/compare", permission=Permission.VIEW_VALUATION, summary="A roll beside another year's")
def compare_roll_years(
    county_id: str,
    roll_year: RollYear,
    other_year: Annotated[int, Query(alias="with", ge=1900, le=2200, description="The other roll year.")],
) -> Response[RollYearComparison]:
    """Totals of both, and the reasons of the difference: new and retired parcels, and what decided a changed value."""
    return answer(comparison.compare(county_id, roll_year, other_year))


declare_job_routes(
    api,
    ROLL_CHECK,
    get=Operation("get_roll_check", "The progress of checks", "The job of the checks over a roll."),
    results=Operation(
        "get_roll_check_results", "The outcome of checks", "Whether the roll can be certified, and why not."
    ),
)
declare_job_routes(
    api,
    ROLL_CERTIFICATION,
    get=Operation("get_certification", "A certification's progress", "The job of certifying a roll."),
    results=Operation("get_certification_results", "The certificate that was made", "The certificate of the roll."),
)
declare_job_routes(
    api,
    CERTIFICATE_VERIFICATION,
    get=Operation("get_verification", "A verification's progress", "The job of verifying a roll's certificate."),
    results=Operation("get_verification_results", "The outcome of a verification", "What does not fit, if anything."),
)
