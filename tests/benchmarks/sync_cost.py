"""Cost of a sync on AWS: durations and written bytes measured here, list prices (`infra/prices.json`).

The functions' seconds are those of this machine's cores; a Lambda of 1,769 MB has one core, of Graviton's. Aurora is
charged for the seconds in which a run keeps it busy, at the capacity that bears `CONCURRENCY` partitions at a time; a
county of ordinary size shares a running cluster with many others.
"""

import math
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from functions.sync.domain.partitioning import PARTITION_ROWS
from infra.functions import REGISTRY
from infra.local.cloud import LocalCloud
from infra.prices import aurora_prices, prices
from infra.stacks.sync import DEFAULT_CONCURRENCY
from shared.db import unit_of_work
from tests.benchmarks.result import BenchmarkResult
from tests.benchmarks.sync import COUNTY, step_seconds, sync_once, synthetic_county

LAMBDA_GB_SECOND: float = prices()["lambda_arm64_gb_second"]
LAMBDA_REQUEST: float = prices()["lambda_million_requests"] / 1_000_000
STATE_TRANSITION: float = prices()["step_functions_thousand_transitions"] / 1_000
S3_PUT: float = prices()["s3_thousand_puts"] / 1_000
S3_GET: float = prices()["s3_thousand_gets"] / 1_000
AURORA_ACU_HOUR = aurora_prices()["acu_hour"]
AURORA_IO = aurora_prices()["million_ios"] / 1_000_000
"""Both of the storage class Standard, which the template has: writes are charged."""
IO_BYTES = 4096
"""Of a write that Aurora charges: its log's records, in units of up to 4 KB."""
STAGED_BYTES_A_ROW = 450
"""Log of a staged row on Aurora, where unlogged tables are logged; measured once on a logged copy of the table."""

FIXED_TRANSITIONS = 12
"""Of the machine itself: from Where to begin to Done."""
CHILD_TRANSITIONS = 2
"""Of a map's child: its start and its task."""
PUTS_A_PARTITION = 3
"""Its rows as read, their keys, and a curated file."""
STEPS = 6
"""Functions that a run calls once."""
BUSY_ACU = 16

UNITED_STATES_PARCELS = 150_000_000
UNITED_STATES_COUNTIES = 3_143
CASES = (100_000, 1_000_000)


@dataclass(frozen=True)
class Durations:
    """Seconds of a partition of 50,000 rows, and of the steps that see the whole run: Plan, Reconcile, Apply, Publish.

    Apply writes the files of a new table while it waits for the database; one that is a single file is of Publish.
    """

    rows: int
    partition: float
    whole: float
    written: int
    """Bytes of the server's write-ahead log, and those of staged rows, which it does not hold here."""


def run(rows: int | None) -> BenchmarkResult:
    """Measure a full and an unchanged sync of a large county and of one of the mean size, and compute their costs."""
    full, unchanged = _measured(rows or 4 * PARTITION_ROWS)
    mean_full, mean_unchanged = _measured(UNITED_STATES_PARCELS // UNITED_STATES_COUNTIES)
    details: dict[str, Any] = {
        "partition_s": full.partition,
        "unchanged_partition_s": unchanged.partition,
        "whole_s": full.whole,
        "unchanged_whole_s": unchanged.whole,
        "a partition: full, USD": _partition_cost(full.partition),
        "a partition: unchanged, USD": _partition_cost(unchanged.partition),
    }
    for parcels in CASES:
        details[f"{parcels:,} parcels: full, USD"] = cost(full, parcels)
        details[f"{parcels:,} parcels: unchanged, USD"] = cost(unchanged, parcels)
    details["every parcel of the United States, full, USD"] = cost(mean_full, mean_full.rows) * UNITED_STATES_COUNTIES
    details["every parcel of the United States, unchanged, USD a night"] = (
        cost(mean_unchanged, mean_unchanged.rows) * UNITED_STATES_COUNTIES
    )
    return BenchmarkResult("sync_cost", full.rows, full.partition, None, None, None, details)


def cost(measured: Durations, parcels: int) -> float:
    """US dollars of one run of a county; the whole run's steps are taken to grow with its rows."""
    partitions = math.ceil(parcels / PARTITION_ROWS)
    memory_gb = REGISTRY.sync.partition.memory_mb / 1024
    whole = measured.whole * parcels / measured.rows
    busy = measured.partition * math.ceil(partitions / DEFAULT_CONCURRENCY) + whole
    return (
        partitions * _partition_cost(measured.partition)
        + whole * memory_gb * LAMBDA_GB_SECOND
        + STEPS * LAMBDA_REQUEST
        + FIXED_TRANSITIONS * STATE_TRANSITION
        + partitions * (PUTS_A_PARTITION * S3_PUT + S3_GET)
        + busy / 3600 * BUSY_ACU * AURORA_ACU_HOUR
        + measured.written / measured.rows * parcels / IO_BYTES * AURORA_IO
    )


def _partition_cost(seconds: float) -> float:
    memory_gb = REGISTRY.sync.partition.memory_mb / 1024
    return seconds * memory_gb * LAMBDA_GB_SECOND + LAMBDA_REQUEST + CHILD_TRANSITIONS * STATE_TRANSITION


def _measured(rows: int) -> tuple[Durations, Durations]:
    """Of a first sync, and of the same again."""
    with synthetic_county(rows) as cloud:
        full, unchanged = (_sync(cloud, rows) for _ in range(2))
    return full, unchanged


def measured_steps(rows: int) -> dict[str, float]:
    """Seconds of each function of a first sync of this many rows: `partition` is one partition's."""
    with synthetic_county(rows) as cloud:
        run = sync_once()[1]
        steps = step_seconds(cloud, run)
        partition = _partition_seconds(run)
    return {name.removesuffix("_s"): seconds for name, seconds in steps.items()} | {"partition": partition}


def _sync(cloud: LocalCloud, rows: int) -> Durations:
    """One sync, by the run's own record of its partitions, the log of its steps, and the server's log."""
    before = _log_position()
    _, run = sync_once()
    staged = run.tables["properties_operational"].differences
    written = _log_position() - before + STAGED_BYTES_A_ROW * staged
    steps = step_seconds(cloud, run)
    return Durations(rows, _partition_seconds(run), sum(steps.values()) - steps["partitions_s"], written)


def _partition_seconds(run: Any) -> float:
    with unit_of_work(COUNTY) as connection:
        seconds, count = connection.execute(
            text("SELECT sum(seconds), count(*) FROM sync_partitions WHERE run_id = CAST(:run AS uuid)"),
            {"run": str(run.id)},
        ).one()
    return float(seconds) / int(count)


def _log_position() -> int:
    with unit_of_work(COUNTY) as connection:
        return int(connection.scalar(text("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")) or 0)
