"""A county's roll checked and certified, and its audit trail verified: the jobs' and the routes' own services on a
PostgreSQL of their own, with S3 by moto in this process.

The limits are those of the specification: 10 s for the checks over 100,000 parcels, 30 s for certifying them, and 20 s
for a chain of 1,000,000 events.
"""

import os
import resource
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import boto3
from moto import mock_aws
from sqlalchemy import insert, text

from functions.audit.service import seals
from functions.audit.service import verification as audit_verification
from functions.roll.schemas.certificates import CertificationJob, VerificationJob
from functions.roll.schemas.checks import RollCheckRequest
from functions.roll.service import certification, checks, verification
from infra.local.postgres import LocalPostgres
from shared.aws import forget_clients
from shared.db import engine, unit_of_work
from shared.db.migrate import upgrade
from shared.db.models import County
from shared.jobs import RunningJob
from shared.settings import settings
from tests.aws import BUCKET, CREDENTIALS
from tests.benchmarks.gis_export import COUNTY, PASSWORD, _use
from tests.benchmarks.result import BenchmarkResult

PARCELS = 100_000
EVENTS = 1_000_000
YEAR = 2025
CHECKS_LIMIT_S, CERTIFICATION_LIMIT_S, CHAIN_LIMIT_S = 10.0, 30.0, 20.0
_SYNCED = "source_system, row_hash, version, valid_from"
_PROVENANCE = "'BENCH', 'h', 1, now()"
_PARCEL_SQL = f"""
INSERT INTO properties_operational (county_id, property_id, parcel_number, property_class, property_type, neighborhood,
    tax_district, geometry, longitude, latitude, land_value, improvement_value, total_value, {_SYNCED})
SELECT :county, 'P' || n, 'N' || n, 'residential', 'single', 'H' || mod(n, 200), 'D' || mod(n, 20), '\\x00', 1, 1,
    100000, 200000 + n, 300000 + n, {_PROVENANCE} FROM generate_series(1, :rows) AS n
"""
_ASSESSMENTS_SQL = f"""
INSERT INTO assessments (county_id, assessment_id, property_id, roll_year, land_value, improvement_value, total_value,
    assessed_value, property_class, {_SYNCED})
SELECT :county, 'A' || y || n, 'P' || n, y, 100000, 200000 + n, 300000 + n, 300000 + n, 'residential', {_PROVENANCE}
FROM generate_series(1, :rows) AS n, generate_series({YEAR - 1}, {YEAR}) AS y
"""
_IMPROVEMENTS_SQL = f"""
INSERT INTO improvements (county_id, improvement_id, property_id, {_SYNCED})
SELECT :county, 'I' || n, 'P' || n, {_PROVENANCE} FROM generate_series(1, :rows) AS n
"""
_OWNERS_SQL = f"""
INSERT INTO owners (county_id, owner_id, property_id, name, {_SYNCED})
SELECT :county, 'O' || n, 'P' || n, 'Owner ' || n, {_PROVENANCE} FROM generate_series(1, :rows) AS n
"""
_EXEMPTIONS_SQL = f"""
INSERT INTO exemptions (county_id, exemption_id, property_id, exemption_type, amount, roll_year, {_SYNCED})
SELECT :county, 'E' || n, 'P' || n, 'homestead', 50000, {YEAR}, {_PROVENANCE} FROM generate_series(1, :rows, 4) AS n
"""
_EVENTS_SQL = (
    "INSERT INTO audit_events (county_id, actor, action, subject, details, old, new, address, request_id)"
    " SELECT :county, 'user-' || mod(n, 40), 'property.edited', 'properties/' || n, jsonb_build_object('version', n),"
    " jsonb_build_object('condition', 'Fair'), jsonb_build_object('condition', 'Good'), '203.0.113.7',"
    " md5(CAST(n AS text)) FROM generate_series(1, :rows) AS n"
)


def run_checks(rows: int | None = None) -> BenchmarkResult:
    """Run every check over a roll, of which one parcel in fifty has no land value."""
    rows = rows or PARCELS
    with _county():
        _fill(rows)
        with unit_of_work(COUNTY) as connection:
            connection.execute(
                text("UPDATE assessments SET land_value = 0 WHERE roll_year = :year AND mod(total_value, 50) = 0"),
                {"year": YEAR},
            )
        request = RollCheckRequest(roll_year=YEAR)
        begun = time.perf_counter()
        outcome = checks.run_job(_job(request.model_dump(mode="json")))
        seconds = time.perf_counter() - begun
    found = {f"rows_{each.name}": each.rows for each in outcome.checks if each.rows}
    details = {"checks": len(outcome.checks), **found}
    return _result("roll_checks", rows, seconds, CHECKS_LIMIT_S, details)


def run_certification(rows: int | None = None) -> BenchmarkResult:
    """Certify a roll, its checks included; then verify the certificate."""
    rows = rows or PARCELS
    with _county():
        _fill(rows)
        begun = time.perf_counter()
        made = certification.certify_job(_job(CertificationJob(roll_year=YEAR).model_dump(mode="json")))
        seconds = time.perf_counter() - begun
        begun = time.perf_counter()
        outcome = verification.verify_job(_job(VerificationJob(roll_year=YEAR).model_dump(mode="json")))
        verified = time.perf_counter() - begun
    if not outcome.intact or made.statement.totals.assessments != rows:
        raise AssertionError(outcome.findings)
    details = {"rows_in_manifest": outcome.rows, "verification_s": verified}
    return _result("certification", rows, seconds, CERTIFICATION_LIMIT_S, details)


def run_audit_chain(rows: int | None = None) -> BenchmarkResult:
    """Verify a chain over `rows` events, page by page, after sealing them."""
    rows = rows or EVENTS
    with _county():
        with unit_of_work(COUNTY) as connection:
            connection.execute(text(_EVENTS_SQL), {"county": COUNTY, "rows": rows})
        begun = time.perf_counter()
        made = seals.seal(COUNTY)
        sealed = time.perf_counter() - begun
        begun = time.perf_counter()
        token, verified, intact = None, 0, True
        while True:
            page = audit_verification.verify(COUNTY, page_size=1000, page_token=token)
            verified += sum(verdict.events for verdict in page.items)
            intact = intact and all(verdict.intact for verdict in page.items)
            token = page.next_page_token
            if token is None:
                break
        seconds = time.perf_counter() - begun
    if verified != rows or not intact:
        raise AssertionError(f"{verified} of {rows} events were verified")
    return _result("audit_chain", rows, seconds, CHAIN_LIMIT_S, {"seals": len(made), "sealing_s": sealed})


def _fill(rows: int) -> None:
    with unit_of_work(COUNTY) as connection:
        for statement in (_PARCEL_SQL, _ASSESSMENTS_SQL, _IMPROVEMENTS_SQL, _OWNERS_SQL, _EXEMPTIONS_SQL):
            connection.execute(text(statement), {"county": COUNTY, "rows": rows})


def _job(parameters: dict[str, object]) -> RunningJob:
    """A job that runs, with its row."""
    job_id = uuid4()
    with unit_of_work(COUNTY) as connection:
        connection.execute(
            text(
                "INSERT INTO jobs (county_id, job_id, kind, status, parameters, request_digest, submitted_by)"
                " VALUES (:county, :job_id, 'roll_check', 'running', '{}', '', 'bench')"
            ),
            {"county": COUNTY, "job_id": job_id},
        )
    return RunningJob(COUNTY, job_id, parameters, "bench")


@contextmanager
def _county() -> Iterator[None]:
    """An onboarded county in a database of its own, with a bucket."""
    os.environ.update({**CREDENTIALS, "DATA_BUCKET": BUCKET})
    with TemporaryDirectory() as folder, LocalPostgres(Path(folder, "postgres"), durable=False) as server, mock_aws():
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        settings.cache_clear()
        forget_clients()
        server.create_owner("owner", "main")
        server.create_database("bench")
        owner = server.owner_url("bench")
        upgrade(owner, PASSWORD)
        _use(owner.set(username="terrafusion_app", password=PASSWORD).render_as_string(hide_password=False))
        with unit_of_work(COUNTY) as connection:
            named = {"county_id": COUNTY, "friendly_name": "Bench"}
            connection.execute(insert(County).values(**named, configuration={}, mapping="", version=1))
        yield
        engine.forget_engine()
    settings.cache_clear()
    forget_clients()


def _result(name: str, rows: int, seconds: float, limit_s: float, details: Mapping[str, Any]) -> BenchmarkResult:
    return BenchmarkResult(
        name=name,
        rows=rows,
        seconds=seconds,
        peak_rss_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        ratio_to_limit=seconds / limit_s,
        ratio_to_peer=None,
        details=dict(details),
    )
