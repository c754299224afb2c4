"""A night of the whole country, on the deployed state machine under AWS's quotas, with durations measured before."""

import json
import random
from importlib.util import find_spec
from pathlib import Path

import pytest

from infra.functions import REGISTRY
from infra.local.cloud_assembly import Assembly
from infra.local.resource_names import LocalIdentifiers
from infra.local.template import Template
from tests.benchmarks.sync_cost import (
    AURORA_ACU_HOUR,
    BUSY_ACU,
    LAMBDA_GB_SECOND,
    LAMBDA_REQUEST,
    STATE_TRANSITION,
    UNITED_STATES_COUNTIES,
    UNITED_STATES_PARCELS,
    measured_steps,
)
from tests.figures import RecordFigure

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(1_800),
    pytest.mark.skipif(find_spec("simpy") is None, reason="needs the dependency group: uv run --group bench"),
]

SIGMA = 1.67
"""Of the logarithm of a county's parcels, taken for that of its people: 105,000 on average, 25,900 in the median county
(Census of 2020), and ln(105,000 / 25,900) is half of its square."""
LARGEST = 2_500_000
"""Parcels of Los Angeles County, of which no county has more."""
SAMPLE_ROWS = (50_000, 200_000)
MORNING_S = 4 * 3_600
"""The syncs begin at 2 o'clock and are over by 6."""


def counties(spread_s: float) -> list[tuple[float, int]]:
    """The moment in which each county's schedule ticks, evenly over some seconds, and its parcels."""
    dice = random.Random(3_143)  # noqa: S311 - a test's dice
    sizes = [min(LARGEST, dice.lognormvariate(0, SIGMA)) for _ in range(UNITED_STATES_COUNTIES)]
    scale = UNITED_STATES_PARCELS / sum(sizes)
    parcels = [max(1, min(LARGEST, round(size * scale))) for size in sizes]
    return [(dice.uniform(0, spread_s), rows) for rows in parcels]


@pytest.fixture(scope="module")
def machine(assemblies: Path) -> dict[str, object]:
    (assembly,) = (path for path in assemblies.iterdir() if path.is_dir())
    machines = Template(Assembly(assembly, LocalIdentifiers())).state_machines()
    return dict(json.loads(next(each.definition for each in machines if each.name.endswith("-sync"))))


@pytest.fixture(scope="module")
def durations() -> object:
    """Durations of a run in which everything is new: the worst night."""
    from tests.long.night import Durations

    small, large = (measured_steps(rows) for rows in SAMPLE_ROWS)
    millions = (SAMPLE_ROWS[1] - SAMPLE_ROWS[0]) / 1e6
    per_million = {step: max(0.0, (large[step] - small[step]) / millions) for step in ("plan", "reconcile", "apply")}
    fixed = {step: small[step] for step in ("plan", "reconcile", "apply", "publish")}
    fixed["prepare"] = small["publish"]  # the log has one line for both, so each is taken for both
    return Durations(fixed, per_million, partition=large["partition"], file=large["partition"])


@pytest.mark.parametrize(
    ("spread", "spread_s", "concurrency"),
    [("in one minute", 60, 1_000), ("over two hours", 7_200, 1_000), ("over two hours, a new account", 7_200, 10)],
)
def test_a_night_of_all_counties_ends_by_morning(
    machine: dict[str, object],
    durations: object,
    figure: RecordFigure,
    spread: str,
    spread_s: float,
    concurrency: int,
) -> None:
    from tests.long.night import Quotas, Simulation

    quotas = Quotas(lambda_concurrency=concurrency)
    night = Simulation(machine, durations, quotas).run(counties(spread_s))  # type: ignore[arg-type]

    assert len(night.ended) == UNITED_STATES_COUNTIES
    assert night.failed == 0
    figure(f"{spread}: the last county is done after", max(night.ended) / 60, "min", limit=MORNING_S / 60)
    figure(f"{spread}: half of the counties are done after", sorted(night.ended)[len(night.ended) // 2] / 60, "min")
    for quota in ("Lambda concurrency", "StartExecution", "StateTransition", "open map runs"):
        figure(f"{spread}: {quota}, refused or waited for", night.throttled[quota])
    memory = {spec.entry.rpartition(".")[2]: spec.memory_mb / 1024 for spec in vars(REGISTRY.sync).values()}
    functions = sum(
        seconds * memory.get(name, 1.769) * LAMBDA_GB_SECOND + night.invocations[name] * LAMBDA_REQUEST
        for name, seconds in night.lambda_s.items()
    )
    database = night.database_s / 3600 * BUSY_ACU * AURORA_ACU_HOUR
    figure(f"{spread}: Lambda", functions, "dollars")
    figure(f"{spread}: state transitions", night.transitions * STATE_TRANSITION, "dollars")
    figure(f"{spread}: Aurora", database, "dollars")
