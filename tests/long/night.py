"""A simulated night of many counties' syncs: the template's own state machine, with durations in place of functions.

The definition in Amazon States Language is interpreted as it is deployed (choices, maps, retries with their jitter);
AWS's quotas are what executions wait for, or are refused by. A simulation of discrete events: a night takes seconds.
"""

import math
import random
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

import simpy

from functions.sync.domain.partitioning import PARTITION_ROWS
from functions.sync.engine.publication.file_plan import ROWS_PER_FILE

Process = Generator[Any, Any, Any]
State = Mapping[str, Any]

THROTTLED = "Lambda.TooManyRequestsException"


@dataclass(frozen=True)
class Quotas:
    """Quotas of an account, by default those of us-east-1, and what the database bears.

    From the quota pages of AWS Lambda and Step Functions (Standard workflows). `database_slots` are the partitions that
    Aurora bears at a time at its largest capacity; the steps of the whole run take one each.
    """

    lambda_concurrency: int = 1_000
    starts_bucket: int = 1_300
    starts_per_s: float = 300
    transitions_bucket: int = 5_000
    transitions_per_s: float = 5_000
    open_map_runs: int = 1_000
    database_slots: int = 40


@dataclass(frozen=True)
class Durations:
    """Seconds of each step: of a run of any size, and a million rows more; of one partition and of one file."""

    fixed: Mapping[str, float]
    per_million_rows: Mapping[str, float]
    partition: float
    file: float

    def of(self, function: str, rows: int) -> float:
        """Seconds of a function in a run of this many rows."""
        if function == "partition":
            return self.partition * min(1.0, rows / PARTITION_ROWS)
        if function == "curate":
            return self.file * min(1.0, rows / ROWS_PER_FILE)
        return self.fixed[function] + self.per_million_rows.get(function, 0.0) * rows / 1e6


@dataclass
class Night:
    """Outcome of a night. Times are in seconds from its beginning."""

    ended: list[float] = field(default_factory=list)
    failed: int = 0
    throttled: Counter[str] = field(default_factory=Counter)
    """Refusals and waits by quota."""
    invocations: Counter[str] = field(default_factory=Counter)
    lambda_s: Counter[str] = field(default_factory=Counter)
    transitions: int = 0
    database_s: float = 0.0
    """For how long the database was busy with any of it."""


class TaskFailedError(Exception):
    """A task failed with an error's name."""


class TokenBucket:
    """A rate with a burst; who finds it empty waits for the next token."""

    def __init__(self, clock: simpy.Environment, burst: float, per_s: float) -> None:
        self._clock, self._burst, self._per_s = clock, burst, per_s
        self._tokens, self._at = float(burst), 0.0

    def delay(self) -> float:
        """Take a token; the seconds until it is there."""
        self._tokens = min(self._burst, self._tokens + (self._clock.now - self._at) * self._per_s)
        self._at = self._clock.now
        self._tokens -= 1
        return max(0.0, -self._tokens / self._per_s)


class Simulation:
    """A night in which each county's execution starts at its moment."""

    def __init__(self, definition: State, durations: Durations, quotas: Quotas, seed: int = 1) -> None:
        self._definition = definition
        self._durations = durations
        self._quotas = quotas
        self._dice = random.Random(seed)  # noqa: S311 - jitter
        self._clock = simpy.Environment()
        self._starts = TokenBucket(self._clock, quotas.starts_bucket, quotas.starts_per_s)
        self._transitions = TokenBucket(self._clock, quotas.transitions_bucket, quotas.transitions_per_s)
        self._map_runs = simpy.Resource(self._clock, quotas.open_map_runs)
        self._database = simpy.Resource(self._clock, quotas.database_slots)
        self._running = 0
        self._busy_since = 0.0
        self.night = Night()

    def run(self, counties: list[tuple[float, int]]) -> Night:
        """Simulate counties, each with the second in which its schedule ticks and its rows."""
        for at, rows in counties:
            self._clock.process(self._county(at, rows))
        self._clock.run()
        return self.night

    def _county(self, at: float, rows: int) -> Process:
        yield self._clock.timeout(at)
        yield from self._started()
        try:
            yield from self._machine(self._definition, {"rows": rows})
        except TaskFailedError:
            self.night.failed += 1
        self.night.ended.append(self._clock.now)

    def _started(self) -> Process:
        delay = self._starts.delay()
        self.night.throttled["StartExecution"] += delay > 0
        yield self._clock.timeout(delay)

    def _machine(self, machine: State, document: dict[str, Any]) -> Process:
        name: str | None = machine["StartAt"]
        while name is not None:
            state = machine["States"][name]
            self.night.transitions += 1
            delay = self._transitions.delay()
            self.night.throttled["StateTransition"] += delay > 0
            yield self._clock.timeout(delay)
            name = yield from self._state(name, state, document)

    def _state(self, name: str, state: State, document: dict[str, Any]) -> Process:
        match state["Type"]:
            case "Choice":
                return next((c["Next"] for c in state["Choices"] if _chosen(c, document)), state.get("Default"))
            case "Wait":
                yield self._clock.timeout(state["Seconds"])
            case "Fail":
                raise TaskFailedError(name)
            case "Pass":
                _put(document, state.get("ResultPath", "$"), state.get("Result", {}))
            case "Task" | "Map":
                work = self._task if state["Type"] == "Task" else self._map
                try:
                    result = yield from self._retried(state, lambda: work(state, document))
                except TaskFailedError as error:
                    if "Catch" not in state:
                        raise
                    _put(document, "$.failure", {"Error": str(error)})
                    return state["Catch"][0]["Next"]
                _put(document, state.get("ResultPath", "$"), result)
        return state.get("Next")

    def _retried(self, state: State, attempt: Callable[[], Process]) -> Process:
        attempts: Counter[int] = Counter()
        while True:
            try:
                return (yield from attempt())
            except TaskFailedError as error:
                number, retry = _retry(state, str(error))
                if retry is None or attempts[number] >= retry["MaxAttempts"]:
                    raise
                delay = retry["IntervalSeconds"] * retry.get("BackoffRate", 2) ** attempts[number]
                delay = min(delay, retry.get("MaxDelaySeconds", math.inf))
                attempts[number] += 1
                yield self._clock.timeout(self._dice.uniform(0, delay) if "JitterStrategy" in retry else delay)

    def _task(self, state: State, document: dict[str, Any]) -> Process:
        function = state["Resource"].rpartition("-sync-")[2].partition(":")[0]  # of its alias or version
        if self._running >= self._quotas.lambda_concurrency:
            self.night.throttled["Lambda concurrency"] += 1
            raise TaskFailedError(THROTTLED)
        self._running += 1
        began = self._clock.now
        try:
            with self._database.request() as slot:
                yield slot
                if self._database.count == 1:
                    self._busy_since = self._clock.now
                yield self._clock.timeout(self._durations.of(function, document["rows"]))
                if self._database.count == 1:
                    self.night.database_s += self._clock.now - self._busy_since
        finally:
            self._running -= 1
        self.night.invocations[function] += 1
        self.night.lambda_s[function] += self._clock.now - began
        if self._clock.now - began > state["TimeoutSeconds"]:
            raise TaskFailedError("States.Timeout")
        return dict(OUTCOMES.get(function, {}))

    def _map(self, state: State, document: dict[str, Any]) -> Process:
        rows_per_item = PARTITION_ROWS if state["Label"] == "Partitions" else ROWS_PER_FILE
        sizes = _items(document["rows"], rows_per_item)
        with self._map_runs.request() as open_run:
            self.night.throttled["open map runs"] += not open_run.triggered
            yield open_run
            at_a_time = simpy.Resource(self._clock, state["MaxConcurrency"])
            children = [self._clock.process(self._child(state["ItemProcessor"], rows, at_a_time)) for rows in sizes]
            done = yield self._clock.all_of(children)
        return {"all": len(sizes), "done": sum(done.values())}

    def _child(self, processor: State, rows: int, at_a_time: simpy.Resource) -> Process:
        with at_a_time.request() as turn:
            yield turn
            yield from self._started()
            try:
                yield from self._machine(processor, {"rows": rows})
            except TaskFailedError:
                return 0
            return 1


OUTCOMES: Mapping[str, Mapping[str, Any]] = {
    "plan": {"outcome": "proceed"},
    "reconcile": {"outcome": "apply"},
    "apply": {"outcome": "applied"},
}
"""Answers by which the machine goes on: every county has changes."""


def _items(rows: int, size: int) -> list[int]:
    return [min(size, rows - start) for start in range(0, rows, size)] or [0]


def _retry(state: State, error: str) -> tuple[int, State | None]:
    for number, retry in enumerate(state.get("Retry", ())):
        if error in retry["ErrorEquals"]:
            return number, retry
    return -1, None


def _put(document: dict[str, Any], path: str | None, result: Any) -> None:
    if path is None or not isinstance(result, Mapping):
        return
    if path == "$":
        document |= result
    else:
        document[path.removeprefix("$.")] = dict(result)


def _value(document: Mapping[str, Any], path: str) -> Any:
    value: Any = document
    for part in path.removeprefix("$.").split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _chosen(choice: State, document: Mapping[str, Any]) -> bool:
    if "And" in choice:
        return all(_chosen(each, document) for each in choice["And"])
    value = _value(document, choice["Variable"])
    if "IsPresent" in choice:
        return (value is not None) is choice["IsPresent"]
    if "StringEquals" in choice:
        return bool(value == choice["StringEquals"])
    return bool(value == _value(document, choice["NumericEqualsPath"]))
