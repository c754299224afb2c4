"""Cost of a sync on AWS: durations measured here, list prices (us-east-1, 2026, before any free tier or discount).

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
from infra.stacks.sync import DEFAULT_CONCURRENCY
from shared.db import unit_of_work
from tests.benchmarks.result import BenchmarkResult
from tests.benchmarks.sync import COUNTY, step_seconds, sync_once, synthetic_county

LAMBDA_GB_SECOND = 0.0000133334
LAMBDA_REQUEST = 0.20 / 1_000_000
STATE_TRANSITION = 0.025 / 1_000
S3_PUT = 0.005 / 1_000
S3_GET = 0.0004 / 1_000
AURORA_ACU_HOUR = 0.156
"""I/O-Optimized: nothing is charged for reads and writes."""

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
    )


def _partition_cost(seconds: float) -> float:
    memory_gb = REGISTRY.sync.partition.memory_mb / 1024
    return seconds * memory_gb * LAMBDA_GB_SECOND + LAMBDA_REQUEST + CHILD_TRANSITIONS * STATE_TRANSITION


def _measured(rows: int) -> tuple[Durations, Durations]:
    """Of a first sync, and of the same again."""
    with synthetic_county(rows) as cloud:
        full, unchanged = (_durations(cloud, sync_once()[1], rows) for _ in range(2))
    return full, unchanged


def measured_steps(rows: int) -> dict[str, float]:
    """Seconds of each function of a first sync of this many rows: `partition` is one partition's."""
    with synthetic_county(rows) as cloud:
        run = sync_once()[1]
        steps = step_seconds(cloud, run)
        partition = _durations(cloud, run, rows).partition
    return {name.removesuffix("_s"): seconds for name, seconds in steps.items()} | {"partition": partition}


def _durations(cloud: LocalCloud, run: Any, rows: int) -> Durations:
    """From the run's own record of its partitions, and the log of its steps."""
    with unit_of_work(COUNTY) as connection:
        seconds, count = connection.execute(
            text("SELECT sum(seconds), count(*) FROM sync_partitions WHERE run_id = CAST(:run AS uuid)"),
            {"run": str(run.id)},
        ).one()
    steps = step_seconds(cloud, run)
    return Durations(rows, float(seconds) / count, sum(steps.values()) - steps["partitions_s"])
