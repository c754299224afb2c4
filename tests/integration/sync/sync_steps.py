"""A run carried out as the state machine does, with a fault at its n-th step."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import orjson
import pytest
from botocore.exceptions import EndpointConnectionError

from functions.sync.tasks import machine
from functions.sync.tasks.conversion import convert
from functions.sync.tasks.retries import RetryableError
from shared import storage
from shared.db.driver import PreparingConnection
from shared.problems import NotFound, ServiceUnavailable
from shared.sources.sql import SqlSource
from tests.gateway import LambdaContext

Event = dict[str, Any]
Disturb = Callable[[], None]

ATTEMPTS = 4
"""Attempts of the state machine at a task that raises a retryable error."""


def carry_out(county_id: str, run_id: str) -> str:
    """Carry out a run from Plan to Publish; Reconcile's outcome. Raises the last error of a task."""
    run = {"county_id": county_id, "run_id": run_id}
    start = {**run, "execution": {"id": f"arn:{run_id}", "name": run_id}}
    while (planned := _call(machine.plan, start))["outcome"] == "convert":
        _call(convert, {**run, "table": planned["table"]})
    for item in orjson.loads(storage.get(planned["partitions"]["key"])):
        _call(machine.partition, {**run, "partition": item})
    outcome: str = _call(machine.reconcile, run)["outcome"]
    if outcome == "apply":
        while _call(machine.apply, run)["outcome"] == "applying":  # for another execution, or by the database itself
            time.sleep(0.05)
        for item in orjson.loads(storage.get(_call(machine.prepare, run)["files"]["key"])):
            _call(machine.curate, {**run, "file": item})
        _call(machine.publish, run)
    return outcome


def _call(task: Callable[[Event, Any], Event], event: Event) -> Event:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return task(json.loads(json.dumps(event)), LambdaContext())
        except (RetryableError, ServiceUnavailable):
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("unreachable")


class Steps:
    """Counter of statements, objects and reads of the source, with a fault at one of them."""

    def __init__(self, at: int | None = None, when: Literal["before", "after"] = "before") -> None:
        self.done = 0
        self.disturbed = False
        self._at = at
        self._when = when

    def wrap(self, original: Callable[..., Any], disturb: Disturb) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            self.done += 1
            now = self.done == self._at and not self.disturbed
            self.disturbed = self.disturbed or now
            if now and self._when == "before":
                disturb()
            result = original(*args, **options)
            if now and self._when == "after":
                disturb()
            return result

        return call


@contextmanager
def disturbed(steps: Steps, disturb: Disturb) -> Iterator[Steps]:
    """The real driver, storage and source, with `disturb` called at the step that `steps` names."""
    places = [
        *((PreparingConnection, name) for name in ("execute_simple", "execute_unnamed", "execute_prepared")),
        *((storage, name) for name in ("put", "get", "find")),
        *((SqlSource, name) for name in ("schema", "count", "cut", "read", "keys", "watermark")),
    ]
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in places:
            patch.setattr(owner, name, steps.wrap(getattr(owner, name), disturb))
        yield steps


def keep_objects_in(folder: Path) -> None:
    """Store objects as files, atomically as S3 does: they survive a killed process, and a hundred runs are
    walked in the time that a simulated S3 takes for twenty.
    """

    def put(key: str, body: bytes, *_: object, **__: object) -> None:
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_bytes(body)
        unfinished.replace(path)

    def get(key: str) -> bytes:
        try:
            return (folder / key).read_bytes()
        except FileNotFoundError as error:
            raise NotFound(f"There is no object {key}.", slug="object-not-found") from error

    def find(key: str) -> storage.StoredObject:
        return storage.StoredObject(key, etag="", size=len(get(key)))

    vars(storage).update(put=put, get=get, find=find)


def die() -> None:
    """Kill the process, as the kernel kills one that runs out of memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def break_down() -> None:
    """Raise boto3's error of an unreachable S3, which no code of ours handles."""
    raise EndpointConnectionError(endpoint_url="https://s3")
