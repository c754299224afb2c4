"""What a sync costs on AWS: durations measured here, list prices (us-east-1, 2026, before any free tier or discount).

The functions' seconds are those of this machine's cores; a Lambda of 1,769 MB has one core, of Graviton's. Aurora is
charged for the seconds in which a run keeps it busy, at the capacity that bears `CONCURRENCY` partitions at a time; a
county of ordinary size shares a running cluster with many others.
"""

import math
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from functions.sync.service.cutting import PARTITION_ROWS
from infra.functions import REGISTRY
from infra.stacks.sync import DEFAULT_CONCURRENCY
from shared.db import unit_of_work
from tests.benchmarks.result import BenchmarkResult
from tests.benchmarks.sync import COUNTY, sync_once, synthetic_county

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
PUTS_A_PARTITION = 2
BUSY_ACU = 16

UNITED_STATES_PARCELS = 150_000_000
UNITED_STATES_COUNTIES = 3_143
CASES = {"100,000 parcels": (100_000, 1), "1,000,000 parcels": (1_000_000, 1)}


@dataclass(frozen=True)
class Durations:
    """Seconds of a partition and of a file (50,000 rows each), and of the steps that see the whole run, a row."""

    partition: float
    file: float
    whole_a_row: float


def run(rows: int | None) -> BenchmarkResult:
    """Measure a full and an unchanged sync, and compute what each costs by the size of the county."""
    size = rows or 4 * PARTITION_ROWS
    with synthetic_county(size):
        full, unchanged = (_durations(sync_once()[1], size) for _ in range(2))
    details: dict[str, Any] = {"partition_s": full.partition, "unchanged_partition_s": unchanged.partition}
    for name, (parcels, counties) in CASES.items():
        details[f"{name}: full, USD"] = cost(full, parcels, files=True) * counties
        details[f"{name}: unchanged, USD"] = cost(unchanged, parcels, files=False) * counties
    mean = UNITED_STATES_PARCELS // UNITED_STATES_COUNTIES
    details["a partition: full, USD"] = _partition_cost(full.partition)
    details["a partition: unchanged, USD"] = _partition_cost(unchanged.partition)
    details["every parcel of the United States, unchanged, USD a night"] = (
        cost(unchanged, mean, files=False) * UNITED_STATES_COUNTIES
    )
    details["every parcel of the United States, full, USD"] = cost(full, mean, files=True) * UNITED_STATES_COUNTIES
    details["core-hours of a full load of all"] = (
        UNITED_STATES_PARCELS / PARTITION_ROWS * (full.partition + full.file) / 3600
    )
    return BenchmarkResult("sync_cost", size, full.partition, None, None, None, details)


def cost(measured: Durations, parcels: int, *, files: bool) -> float:
    """US dollars of one run of a county."""
    partitions = math.ceil(parcels / PARTITION_ROWS)
    children = partitions * (2 if files else 1)
    memory_gb = REGISTRY.sync.partition.memory_mb / 1024
    seconds = partitions * (measured.partition + (measured.file if files else 0.0)) + parcels * measured.whole_a_row
    busy = partitions * measured.partition / min(partitions, DEFAULT_CONCURRENCY) + parcels * measured.whole_a_row
    return (
        seconds * memory_gb * LAMBDA_GB_SECOND
        + (children + 6) * LAMBDA_REQUEST
        + (FIXED_TRANSITIONS + children * CHILD_TRANSITIONS) * STATE_TRANSITION
        + children * (PUTS_A_PARTITION * S3_PUT + S3_GET)
        + busy / 3600 * BUSY_ACU * AURORA_ACU_HOUR
    )


def _partition_cost(seconds: float) -> float:
    memory_gb = REGISTRY.sync.partition.memory_mb / 1024
    return seconds * memory_gb * LAMBDA_GB_SECOND + LAMBDA_REQUEST + CHILD_TRANSITIONS * STATE_TRANSITION


def _durations(run: Any, rows: int) -> Durations:
    """From a run's own record: its partitions' seconds, and the time between its steps."""
    with unit_of_work(COUNTY) as connection:
        seconds, count = connection.execute(
            text("SELECT sum(seconds), count(*) FROM sync_partitions WHERE run_id = CAST(:run AS uuid)"),
            {"run": str(run.id)},
        ).one()
        reconciled = connection.execute(
            text("SELECT reconciled_at FROM sync_runs WHERE run_id = CAST(:run AS uuid)"), {"run": str(run.id)}
        ).scalar_one()
    applied = (run.applied_at - reconciled).total_seconds() if run.applied_at else 0.0
    published = (run.published_at - run.applied_at).total_seconds() if run.published_at else 0.0
    # two workers write the files at the same time
    return Durations(float(seconds) / count, 2 * published / count, applied / rows)
