"""Syncs through the local cloud's state machine, against COPY of the same rows into the same indexed table.

The source, the operational database and every task run on this machine. The limit is measured in the same run, on
the same server: COPY by pg8000 (as fast as psql) into a table with the same columns, indexes and generated box.
"""

import io
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
from pg8000.native import Connection, identifier, literal
from sqlalchemy import text
from sqlalchemy.engine import URL

from infra.cli.local_platform import local_platform
from infra.examples.counties import configuration_text
from infra.examples.legacy.synthetic import MAPPING, TABLE, build_parcels
from infra.local.cloud import LocalCloud
from shared.aws import forget_clients
from shared.db.engine import forget_engine
from shared.settings import settings
from tests.benchmarks.dlt_peer import dlt_peer
from tests.benchmarks.result import BenchmarkResult

COUNTY = "synthetic_wa"
DEFAULT_ROWS = 100_000
DATABASE = "legacy_synthetic"
_CHUNK = 256 * 1024
_STEPS = {
    "planned": "plan_s",
    "partition done": "partitions_s",
    "reconciled": "reconcile_s",
    "applied": "apply_s",
    "published": "publish_s",
}
"""Messages of the tasks' log at the end of each step, in their order."""


def run_full(rows: int | None = None) -> BenchmarkResult:
    """The first sync of a county: everything is new."""
    with synthetic_county(rows or DEFAULT_ROWS) as cloud:
        measured = sync_once()
        with dlt_peer(cloud.postgres.owner_url(DATABASE), cloud.postgres.owner_url()) as peer:
            peer_seconds = peer.merge() + peer.typed() if peer else None
        return _result("sync_full", rows or DEFAULT_ROWS, measured, cloud, peer_seconds)


def run_unchanged(rows: int | None = None) -> BenchmarkResult:
    """A sync of a county in which nothing has changed since the last one."""
    with synthetic_county(rows or DEFAULT_ROWS) as cloud:
        sync_once()
        measured = sync_once()
        with dlt_peer(cloud.postgres.owner_url(DATABASE), cloud.postgres.owner_url()) as peer:
            peer_seconds = (peer.merge(), peer.merge())[1] if peer else None
        return _result("sync_unchanged", rows or DEFAULT_ROWS, measured, cloud, peer_seconds)


def run_one_percent(rows: int | None = None) -> BenchmarkResult:
    """A sync of a county in which one row in a hundred has changed, in every part of it."""
    with synthetic_county(rows or DEFAULT_ROWS) as cloud:
        sync_once()
        _change_one_percent(cloud.postgres.owner_url(DATABASE))
        return _result("sync_one_percent", rows or DEFAULT_ROWS, sync_once(), cloud, None)


def _change_one_percent(source: URL) -> None:
    with _connected(source) as connection:
        connection.run(f"UPDATE {TABLE} SET land_val = land_val + 1000 WHERE parcel_id::integer % 100 = 7")


@contextmanager
def _connected(url: URL) -> Iterator[Connection]:
    with Connection(
        url.username or "",
        password=url.password,
        host=url.host,
        port=url.port,
        database=url.database,
        ssl_context=False,
    ) as connection:
        yield connection


@contextmanager
def synthetic_county(rows: int) -> Iterator[LocalCloud]:
    """A local cloud with a county whose source has `rows` parcels of 25 columns."""
    with tempfile.TemporaryDirectory() as folder, local_platform(Path(folder), port=0, durable=False) as cloud:
        cloud.postgres.create_database(DATABASE)
        source = cloud.postgres.owner_url(DATABASE)
        build_parcels(source, rows)
        cloud.clients("secretsmanager").create_secret(Name=f"terrafusion/{COUNTY}/source", SecretString=_secret(source))
        _onboard()
        try:
            yield cloud
        finally:  # the next one in this process is another cloud
            forget_engine()
            forget_clients()
            settings.cache_clear()


def _secret(url: URL) -> str:
    return json.dumps(
        {
            "host": url.host,
            "port": url.port,
            "dbname": url.database,
            "username": url.username,
            "password": url.password,
            "sslmode": "disable",
        }
    )


def _onboard() -> None:
    from shared.db import unit_of_work

    configuration = json.loads(configuration_text("king_wa").replace("king_wa", COUNTY))
    with unit_of_work(COUNTY) as connection:
        connection.execute(
            text(
                "INSERT INTO counties (county_id, friendly_name, configuration, mapping, version)"
                " VALUES (:county, 'Synthetic', CAST(:configuration AS jsonb), :mapping, 1)"
            ),
            {
                "county": COUNTY,
                "configuration": json.dumps(configuration),
                "mapping": MAPPING.replace("COUNTY", COUNTY),
            },
        )


def sync_once() -> tuple[float, Any]:
    """Start a run by the service behind the API, and wait for its end."""
    from functions.sync.schemas.runs import SyncRequest
    from functions.sync.service import commands, run_views
    from shared.access import Caller

    caller = Caller("benchmark", "benchmark", frozenset({COUNTY}), frozenset())
    started = time.monotonic()
    job = commands.start(COUNTY, SyncRequest(), caller=caller, idempotency_key=None)
    while True:
        run = run_views.get(COUNTY, UUID(str(job.id)))
        if run.status not in ("pending", "running"):
            break
        time.sleep(0.1)  # often enough for the figure, and little beside the work
    seconds = time.monotonic() - started
    if run.status != "succeeded":
        raise RuntimeError(f"the run is {run.status}: {run.error} {run.guard_findings}")
    return seconds, run


def _result(
    name: str, rows: int, measured: tuple[float, Any], cloud: LocalCloud, peer_seconds: float | None
) -> BenchmarkResult:
    seconds, run = measured
    limit = _copy_seconds(cloud.postgres.owner_url())
    counts = run.tables["properties_operational"]
    return BenchmarkResult(
        name=name,
        rows=rows,
        seconds=seconds,
        peak_rss_mb=_peak_rss_mb(),
        ratio_to_limit=seconds / limit,
        ratio_to_peer=peer_seconds / seconds if peer_seconds else None,
        details={
            "copy_seconds": limit,
            "dlt_seconds": peer_seconds,
            "rows_written": counts.differences,
            "rows_rejected": counts.rejected,
            "partitions": run.partitions.total,
            "partitions_unchanged": run.partitions.unchanged,
            **step_seconds(cloud, run),
        },
    )


def step_seconds(cloud: LocalCloud, run: Any) -> dict[str, float]:
    """Seconds of the run's steps, from one line of the tasks' log to the next: `partitions_s` is all of them.

    `applied_at` does not tell: it is when the transaction began, which is what its versions are dated by.
    """
    ended = {"created": run.created_at}
    for line in (cloud.data_dir / "logs" / "functions.log").read_text().splitlines():
        record = json.loads(line) if line.startswith("{") else {}
        if record.get("run_id") == str(run.id) and record.get("message") in _STEPS:
            ended[record["message"]] = datetime.strptime(record["timestamp"], "%Y-%m-%d %H:%M:%S,%f%z")
    moments = [(name, ended[name]) for name in ("created", *_STEPS) if name in ended]
    return {_STEPS[name]: (at - before).total_seconds() for (_, before), (name, at) in pairwise(moments)}


def _peak_rss_mb() -> float:
    """The high-water mark of the largest process that runs tasks: this one's Python children (the workers)."""
    peaks = []
    for child in psutil.Process().children(recursive=True):
        try:
            status = Path(f"/proc/{child.pid}/status").read_text() if "python" in child.name() else ""
        except (psutil.NoSuchProcess, FileNotFoundError):  # it ended while we looked
            continue
        peaks += [int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")]
    return max(peaks)


def _copy_seconds(owner: URL) -> float:
    """The limit: the applied rows, as text, into an empty copy of their table with all its indexes."""
    with _connected(owner) as connection:
        columns = connection.run(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'properties_operational'::regclass AND attnum > 0"
            " AND NOT attisdropped AND attgenerated = '' ORDER BY attnum"
        )
        names = ", ".join(identifier(name) for (name,) in columns)
        connection.run(f"SELECT set_config('app.county_id', {literal(COUNTY)}, false)")
        data = io.BytesIO()
        connection.run(f"COPY (SELECT {names} FROM properties_operational) TO STDOUT (FORMAT csv)", stream=data)
        connection.run("CREATE TABLE copied (LIKE properties_operational INCLUDING ALL)")
        data.seek(0)
        started = time.monotonic()
        connection.run(f"COPY copied ({names}) FROM STDIN (FORMAT csv)", stream=iter(lambda: data.read(_CHUNK), b""))
        return time.monotonic() - started
