"""A batch of notices of value through its three steps, from PostgreSQL to PDFs, against typesetting alone.

One partition after the other, in one process that starts another for each file, as a Lambda function does; S3 is moto's
in the same process, whose copies of all files its memory has beside our own.
"""

import resource
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import text

from functions.notices.domain.letter import letter_of
from functions.notices.handler import handler
from functions.notices.render.letters import default_template, typeset_letters
from functions.notices.repository import batches
from functions.notices.tasks import prepare_batch, send_batch, typeset_file
from infra.local.postgres import LocalPostgres
from shared.counties.notice_county import notice_county
from shared.db import engine, unit_of_work
from shared.db.migrate import upgrade
from tests.aws import aws_in_this_process
from tests.benchmarks.result import BenchmarkResult
from tests.gateway import call, claims_of
from tests.job_cloud import Steps, run_partitioned

ROWS = 10_000
LIMIT_SECONDS = 60
LIMIT_MB = 512
COUNTY = "bench_wa"
YEAR = 2026
PASSWORD = "bench"
_PATH = {"county_id": COUNTY}
_COLLECTION = "/v1/counties/{county_id}/notice-batches"
_STEPS = Steps("notice_batch", prepare_batch.handler, typeset_file.handler, send_batch.handler)
_SETTINGS = {"board": {"name": "Board of Equalization", "address": ["516 Third Avenue", "Seattle, WA 98104"]}}
_MADE = "'BENCH', 'h', 1, now()"
_PROVENANCE = "source_system, row_hash, version, valid_from"
_WORLD = (
    (
        "INSERT INTO counties (county_id, friendly_name, configuration, mapping, version)"
        " VALUES (:county_id, 'Bench County', CAST(:configuration AS jsonb), '', 1)"
    ),
    (
        "INSERT INTO properties_operational (county_id, property_id, parcel_number, situs_address, legal_description,"
        f" {_PROVENANCE}) SELECT :county_id, 'P' || i, lpad(i::text, 10, '0'), i || ' NE 45th St',"
        f" repeat('LOT ' || mod(i, 40) || ' BLK ' || mod(i, 900) || ' ', 8), {_MADE}"
        " FROM generate_series(1, :rows) AS i"
    ),
    (
        "INSERT INTO owners (county_id, owner_id, property_id, name, mailing_address, mailing_city, mailing_state,"
        f" mailing_zip, {_PROVENANCE}) SELECT :county_id, 'O' || i, 'P' || i, 'Owner Number ' || i,"
        f" i || ' Street ' || mod(i, 300), 'Seattle', 'WA', (98000 + mod(i, 200))::text, {_MADE}"
        " FROM generate_series(1, :rows) AS i"
    ),
    (
        "INSERT INTO assessments (county_id, assessment_id, property_id, roll_year, land_value, improvement_value,"
        f" total_value, {_PROVENANCE}) SELECT :county_id, y || '-' || i, 'P' || i, y, 100000 + i,"
        f" 200000 + i * (y - 2024), 300000 + i * (y - 2023), {_MADE} FROM generate_series(1, :rows) AS i,"
        " (VALUES (2025), (2026)) AS years (y)"
    ),
)


def run(rows: int | None = None) -> BenchmarkResult:
    """Make a batch of `rows` notices, and typeset the same letters alone."""
    rows = rows or ROWS
    with (
        TemporaryDirectory() as folder,
        LocalPostgres(Path(folder, "postgres"), durable=False) as server,
        pytest.MonkeyPatch.context() as patch,
        aws_in_this_process(patch, "jobs"),
    ):
        _make_county(server, rows)
        begun, cpu_before = time.perf_counter(), _cpu_seconds()
        batch_id = _submitted()
        run_partitioned(_STEPS, COUNTY, batch_id)
        seconds, cpu_seconds = time.perf_counter() - begun, _cpu_seconds() - cpu_before
        results = _results(batch_id)
        limit = _typesetting_seconds(batch_id, len(results["files"]), Path(folder))
    peaks = [resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return BenchmarkResult(
        name="notices",
        rows=results["letters"],
        seconds=round(seconds, 2),
        peak_rss_mb=round(max(peaks)),
        ratio_to_limit=round(seconds / limit, 2),
        ratio_to_peer=None,
        details={
            "limit_seconds": round(limit, 2),
            "promised_seconds": LIMIT_SECONDS,
            "promised_mb": LIMIT_MB,
            "cpu_seconds": round(cpu_seconds, 2),
            "files": len(results["files"]),
            "pdf_mb": round(sum(file["size_bytes"] for file in results["files"]) / (1 << 20), 1),
            "typesetting_peak_rss_mb": round(peaks[1]),
        },
    )


def _make_county(server: LocalPostgres, rows: int) -> None:
    server.create_owner("owner", "main")
    server.create_database("bench")
    owner = server.owner_url("bench")
    upgrade(owner, PASSWORD)
    address = owner.set(username="terrafusion_app", password=PASSWORD)
    vars(engine).update(database_url=lambda _: address)
    engine.forget_engine()
    configuration = orjson.dumps({"plugin_settings": {"notices": _SETTINGS}}).decode()
    with unit_of_work(COUNTY) as connection:
        for statement in _WORLD:
            parameters = {"county_id": COUNTY, "rows": rows, "configuration": configuration}
            used = {name: value for name, value in parameters.items() if f":{name}" in statement}
            connection.execute(text(statement), used)


def _submitted() -> str:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    body = {"roll_year": YEAR, "mailed_on": tomorrow.isoformat()}
    answer = call(handler, "POST", _COLLECTION, path=_PATH, body=body, claims=claims_of(counties=[COUNTY]))
    return str(answer.body["id"])


def _results(batch_id: str) -> dict[str, Any]:
    path = {**_PATH, "batch_id": batch_id}
    resource_path = _COLLECTION + "/{batch_id}/results"
    body: dict[str, Any] = call(handler, "GET", resource_path, path=path, claims=claims_of(counties=[COUNTY])).body
    return body


def _typesetting_seconds(batch_id: str, files: int, folder: Path) -> float:
    """Seconds of typesetting the letters of the batch again, and nothing else."""
    seconds = 0.0
    for file_no in range(1, files + 1):
        with unit_of_work(COUNTY) as connection:
            county = notice_county(connection, COUNTY)
            values = batches.letters_of_file(connection, COUNTY, UUID(batch_id), file_no)
        letters = [letter_of(each, county) for each in values]
        begun = time.perf_counter()
        typeset_letters(letters, default_template(), "Notices", datetime.now(UTC), folder / "letters.pdf")
        seconds += time.perf_counter() - begun
    return seconds


def _cpu_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
