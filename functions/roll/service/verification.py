"""Verification of a certificate: manifests made again from the rows, and supplements applied up to the present."""

from collections.abc import Iterator, Sequence
from hashlib import sha256

from sqlalchemy import Connection

from functions.roll.domain.manifest import Key, apply_supplement, certified_rows, manifest
from functions.roll.repository import certificates, rolls, states
from functions.roll.repository.certificates import StoredCertificate
from functions.roll.schemas.certificates import CertificateVerification, CertifiedTotals, VerificationJob
from shared import storage
from shared.db import snapshot
from shared.jobs import RunningJob
from shared.problems import NotFound

MAX_NAMED = 20
"""Rows that a finding names."""


def verify_job(job: RunningJob) -> CertificateVerification:
    """Verify a roll's certificate and those of its supplements, as a job. Raises NotFound."""
    request = VerificationJob.model_validate(job.parameters)
    county_id, roll_year = job.county_id, request.roll_year
    with snapshot(county_id) as connection:
        roll = rolls.roll(connection, county_id, roll_year)
        stored = certificates.of_roll(connection, county_id, roll_year, roll.version) if roll is not None else []
        if not stored:
            raise NotFound(f"The roll of {roll_year} is not certified.", slug="certificate-not-found")
        findings = [finding for each in stored for finding in _differences(connection, county_id, roll_year, each)]
        last_no = max(stored[0].statement["last_correction_no"], stored[-1].supplement_no)
        present = certified_rows(manifest({}, states.lines_after(connection, county_id, roll_year, last_no)))
    findings += _sum(stored, present)
    return CertificateVerification(intact=not findings, manifests=len(stored), rows=len(present), findings=findings)


def _differences(connection: Connection, county_id: str, roll_year: int, stored: StoredCertificate) -> Iterator[str]:
    """The differences where a manifest is made again, and held against its digest and its object."""
    named = _name(stored)
    try:
        kept = storage.get(stored.object_key)
    except NotFound:
        yield f"The manifest of {named} is gone from the bucket."
        return
    if sha256(kept).hexdigest() != stored.sha256:
        yield f"The manifest of {named} is not the one that was certified."
    number = stored.supplement_no or int(stored.statement["last_correction_no"])
    if stored.supplement_no:
        lines = states.lines_of(connection, county_id, roll_year, number)
    else:
        lines = states.lines_after(connection, county_id, roll_year, number)
        totals = states.totals_after(connection, county_id, roll_year, number)
        if totals != CertifiedTotals.model_validate(stored.statement["totals"]):
            yield f"The totals of {named} come to {totals.total_value}, not to what was certified."
    again = manifest(stored.statement, lines)
    if again == kept and sha256(again).hexdigest() == stored.sha256:
        return
    differing = sorted(set(again.splitlines()) ^ set(kept.splitlines()))
    keys = dict.fromkeys(line.decode().split(',"', 2)[1].split('"')[0] for line in differing if line[:1] == b"[")
    rows = ", ".join(list(keys)[:MAX_NAMED])
    yield f"The manifest of {named} cannot be made again: {len(keys)} row(s) differ{f' ({rows})' if rows else ''}."


def _sum(stored: Sequence[StoredCertificate], present: dict[Key, str]) -> Iterator[str]:
    """The differences from the present where the supplements' manifests are applied to the certified one."""
    try:
        rows = certified_rows(storage.get(stored[0].object_key))
        for each in stored[1:]:
            unexpected = apply_supplement(rows, storage.get(each.object_key))
            if unexpected:
                yield f"{_name(each)} stands against other rows than the roll had before: {_listed(unexpected)}."
    except NotFound:
        return  # that a manifest is gone has been said
    differing = sorted(key for key in rows.keys() | present.keys() if rows.get(key) != present.get(key))
    if differing:
        yield f"The certified roll and its supplements are not the roll of now: {_listed(differing)}."


def _name(stored: StoredCertificate) -> str:
    return f"supplement {stored.supplement_no}" if stored.supplement_no else "the certified roll"


def _listed(keys: Sequence[Key]) -> str:
    shown = ", ".join("/".join(key) for key in keys[:MAX_NAMED])
    return shown if len(keys) <= MAX_NAMED else f"{shown} and {len(keys) - MAX_NAMED} more"
