"""Certification: a roll that passes its checks is closed, and every row of it is in a manifest."""

from hashlib import sha256
from typing import Any

from sqlalchemy import Connection

from functions.roll.domain.manifest import manifest
from functions.roll.job_kinds import CERTIFICATE_VERIFICATION, ROLL_CERTIFICATION
from functions.roll.repository import certificates, check_results, rolls, states, waivers
from functions.roll.schemas.certificates import (
    Certificate,
    CertificationJob,
    CertifiedSupplement,
    CertifyRoll,
    Statement,
    SupplementStatement,
    VerificationJob,
)
from functions.roll.schemas.checks import RollCheck
from functions.roll.schemas.rolls import Roll
from functions.roll.service import checks
from functions.roll.service.rolls import close, missing_roll
from shared import audit, jobs, storage
from shared.access import Caller
from shared.db import snapshot, unit_of_work
from shared.jobs import Job, RunningJob
from shared.problems import Conflict, NotFound
from shared.rolls import closing

FOLDER = "certificates"


def submit(county_id: str, roll_year: int, request: CertifyRoll, *, caller: Caller, idempotency_key: str | None) -> Job:
    """Start a roll's certification. Raises NotFound, and as `jobs.submit`."""
    parameters = CertificationJob(roll_year=roll_year, reason=request.reason)

    def check() -> None:
        with unit_of_work(county_id) as connection:
            if rolls.roll(connection, county_id, roll_year) is None:
                raise missing_roll(county_id, roll_year)

    return jobs.submit(
        county_id, ROLL_CERTIFICATION, parameters, caller=caller, idempotency_key=idempotency_key, check=check
    )


def submit_verification(county_id: str, roll_year: int, *, caller: Caller, idempotency_key: str | None) -> Job:
    """Start the verification of a roll's certificate. Raises NotFound, and as `jobs.submit`."""
    parameters = VerificationJob(roll_year=roll_year)
    return jobs.submit(
        county_id,
        CERTIFICATE_VERIFICATION,
        parameters,
        caller=caller,
        idempotency_key=idempotency_key,
        check=lambda: _require_certificate(county_id, roll_year),
    )


def certify_job(job: RunningJob) -> Certificate:
    """Certify a roll, or the supplements that a certified one has had since. Idempotent.

    Raises NotFound, and Conflict where a check that blocks has rows without a waiver: what the checks found is kept.
    """
    request = CertificationJob.model_validate(job.parameters)
    county_id, roll_year = job.county_id, request.roll_year
    with unit_of_work(county_id) as connection:
        closing.lock_roll(connection, county_id, roll_year)
        roll = _require_roll(connection, county_id, roll_year)
        blocking: list[RollCheck] = []
        if roll.status == "open" or not certificates.of_roll(connection, county_id, roll_year, roll.version):
            checks.run(connection, county_id, roll_year, job.submitted_by)
            results = check_results.results(connection, county_id, roll_year)
            blocking = checks.blocking_checks(results)
            if not blocking:
                job.commit(connection)
                _certify(connection, county_id, roll, results, by=job.submitted_by, reason=request.reason)
        else:
            _certify_supplements(connection, county_id, roll, job.submitted_by)
    if blocking:
        names = ", ".join(f"{each.title} ({(each.rows or 0) - (each.waived or 0)})" for each in blocking)
        raise Conflict(f"The roll cannot be certified, because of: {names}.", slug="roll-not-certifiable")
    return certificate(county_id, roll_year)


def certificate(county_id: str, roll_year: int) -> Certificate:
    """The certificate of a roll. Raises NotFound where it is not certified."""
    with snapshot(county_id) as connection:
        roll = _require_roll(connection, county_id, roll_year)
        stored = certificates.of_roll(connection, county_id, roll_year, roll.version)
        if not stored:
            raise _no_certificate(roll_year)
        statement = Statement.model_validate(stored[0].statement)
        corrections = certificates.corrections_after(connection, county_id, roll_year, statement.last_correction_no)
    supplements = [
        CertifiedSupplement(statement=SupplementStatement.model_validate(each.statement), sha256=each.sha256)
        for each in stored[1:]
    ]
    return Certificate(
        statement=statement,
        sha256=stored[0].sha256,
        supplements=supplements,
        uncertified_supplements=len(corrections) - len(supplements),
    )


def manifest_address(county_id: str, roll_year: int, supplement_no: int) -> str:
    """A signed address of a manifest. Raises NotFound."""
    with snapshot(county_id) as connection:
        roll = _require_roll(connection, county_id, roll_year)
        stored = certificates.of_roll(connection, county_id, roll_year, roll.version)
    for each in stored:
        if each.supplement_no == supplement_no:
            name = f"{county_id}-roll-{roll_year}-{supplement_no}.jsonl"
            return storage.signed_url(each.object_key, name, "application/jsonl")
    raise _no_certificate(roll_year)


def _certify(
    connection: Connection, county_id: str, roll: Roll, results: list[RollCheck], *, by: str, reason: str | None
) -> None:
    """Close the roll where it is open, and certify it as it is."""
    version = roll.version if roll.status == "closed" else close(connection, county_id, roll, by, reason).version
    last_no = certificates.last_correction_no(connection, county_id, roll.roll_year)
    statement = Statement(
        county_id=county_id,
        roll_year=roll.roll_year,
        roll_version=version,
        certified_by=by,
        certified_at=certificates.now(connection),
        reason=reason,
        last_correction_no=last_no,
        totals=states.totals_after(connection, county_id, roll.roll_year, last_no),
        checks=results,
        waivers=waivers.of_roll(connection, county_id, roll.roll_year, standing=True),
    )
    lines = states.lines_after(connection, county_id, roll.roll_year, last_no)
    digest = _add(connection, statement, 0, lines)
    audit.record(
        connection,
        county_id,
        by,
        "roll.certified",
        f"rolls/{roll.roll_year}",
        {"sha256": digest, "reason": reason, **statement.totals.model_dump(mode="json")},
    )


def _certify_supplements(connection: Connection, county_id: str, roll: Roll, by: str) -> None:
    """Certify the supplements of a certified roll that have no certificate."""
    stored = certificates.of_roll(connection, county_id, roll.roll_year, roll.version)
    for correction in certificates.corrections_after(
        connection, county_id, roll.roll_year, max(stored[-1].supplement_no, stored[0].statement["last_correction_no"])
    ):
        statement = SupplementStatement(
            county_id=county_id,
            roll_year=roll.roll_year,
            roll_version=roll.version,
            supplement_no=correction.correction_no,
            made_by=correction.made_by,
            made_at=correction.made_at,
            reason=correction.reason,
            rows=correction.rows,
            total_before=correction.total_before,
            total_after=correction.total_after,
            certified_by=by,
            certified_at=certificates.now(connection),
        )
        lines = states.lines_of(connection, county_id, roll.roll_year, correction.correction_no)
        digest = _add(connection, statement, correction.correction_no, lines)
        details = {"supplement_no": correction.correction_no, "sha256": digest}
        audit.record(connection, county_id, by, "roll.supplement_certified", f"rolls/{roll.roll_year}", details)


def _add(
    connection: Connection, statement: Statement | SupplementStatement, supplement_no: int, lines: list[bytes]
) -> str:
    """Store a manifest and its certificate; the manifest's digest."""
    document: dict[str, Any] = statement.model_dump(mode="json")
    body = manifest(document, lines)
    digest = sha256(body).hexdigest()
    name = f"{statement.roll_version}-{supplement_no}-{digest}.jsonl"
    key = storage.record_key(statement.county_id, FOLDER, str(statement.roll_year), name)
    storage.put_record(key, body, "application/jsonl")
    certificates.add(
        connection,
        {
            "county_id": statement.county_id,
            "roll_year": statement.roll_year,
            "roll_version": statement.roll_version,
            "supplement_no": supplement_no,
            "statement": document,
            "object_key": key,
            "sha256": digest,
            "certified_by": statement.certified_by,
            "certified_at": statement.certified_at,
        },
    )
    return digest


def _require_roll(connection: Connection, county_id: str, roll_year: int) -> Roll:
    roll = rolls.roll(connection, county_id, roll_year)
    if roll is None:
        raise missing_roll(county_id, roll_year)
    return roll


def _require_certificate(county_id: str, roll_year: int) -> None:
    certificate(county_id, roll_year)


def _no_certificate(roll_year: int) -> NotFound:
    return NotFound(f"The roll of {roll_year} is not certified.", slug="certificate-not-found")
