"""Each process of the platform is killed (SIGKILL) while people read and a county is synced.

What is promised: a request that was under way may fail with a 5xx problem, everything answers again within seconds, and
the sync comes to its end with the same rows as without.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import psutil
import pytest

from tests.e2e.conftest import Platform, command, platform
from tests.figures import RecordFigure

__all__ = ["platform"]
pytestmark = pytest.mark.long

COUNTY = "/v1/counties/lucas_oh"
READERS = 4
QUIET_S = 3.0
"""Without a failed answer, after which the platform counts as back."""
BACK_S = 30.0
SYNC_S = 300.0
"""A task is tried again after up to a minute, several times."""


@dataclass
class Reader:
    """Reads a parcel again and again; when an answer was none of 200, and its status (0: none came)."""

    failures: list[tuple[float, int]] = field(default_factory=list)
    answered: int = 0

    def read(self, platform: Platform, headers: dict[str, str], path: str, ended: threading.Event) -> None:
        with httpx.Client(base_url=platform.address, headers=headers, timeout=60) as client:
            while not ended.is_set():
                try:
                    status = client.get(path).status_code
                except httpx.HTTPError:
                    status = 0
                if status == 200:
                    self.answered += 1
                else:
                    self.failures.append((time.monotonic(), status))
                time.sleep(0.02)


@contextmanager
def reading(platform: Platform, client: httpx.Client) -> Iterator[list[Reader]]:
    """Readers of a parcel, for as long as the context lasts."""
    path = f"{COUNTY}/properties/{client.get(f'{COUNTY}/properties').json()['items'][0]['property_id']}"
    ended, readers = threading.Event(), [Reader() for _ in range(READERS)]
    arguments = (platform, {"Authorization": client.headers["authorization"]}, path, ended)
    threads = [threading.Thread(target=reader.read, args=arguments) for reader in readers]
    for thread in threads:
        thread.start()
    yield readers
    ended.set()
    for thread in threads:
        thread.join()


def processes(platform: Platform, kind: str) -> dict[psutil.Process, float]:
    """The processes of a kind, each with the processor's seconds that it has taken."""
    seconds = {}
    for child in psutil.Process(platform.process.pid).children(recursive=True):
        with suppress(psutil.Error):
            line = " ".join(child.cmdline())
            parent = child.parent()
            above = " ".join(parent.cmdline()) if parent is not None else ""
            is_kind = {
                "PostgreSQL": "bin/postgres" in line,
                "what forks the API's processes": "fork_server" in line and "fork_server" not in above,
                "a process of the API": "fork_server" in line and "fork_server" in above,
                "a worker of tasks": "infra.local.worker" in line,
            }[kind]
            if is_kind:
                seconds[child] = sum(child.cpu_times()[:2])
    return seconds


def busiest(platform: Platform, kind: str, client: httpx.Client, link: str) -> psutil.Process:
    """The process of a kind that has worked most since now, once the run is under way."""
    before = processes(platform, kind)
    until = time.monotonic() + SYNC_S
    while client.get(link).json()["status"] != "running":
        assert time.monotonic() < until
        time.sleep(0.05)
    time.sleep(0.5)
    return max(
        (seconds - before.get(process, 0), process.pid, process)
        for process, seconds in processes(platform, kind).items()
    )[2]


def ended_sync(client: httpx.Client, link: str) -> dict[str, Any]:
    """The run, once it has ended; while the database is away nobody knows."""
    until = time.monotonic() + SYNC_S
    while time.monotonic() < until:
        with suppress(httpx.HTTPError):
            answer = client.get(link)
            if answer.status_code == 200 and answer.json()["status"] not in ("pending", "running"):
                run: dict[str, Any] = answer.json()
                return run
        time.sleep(0.3)
    raise TimeoutError(link)


@pytest.mark.parametrize(
    "kind", ["a process of the API", "what forks the API's processes", "a worker of tasks", "PostgreSQL"]
)
def test_what_is_killed_comes_back_and_the_sync_comes_to_its_end(
    kind: str, platform: Platform, figure: RecordFigure
) -> None:
    with platform.signed_in("itadmin") as client, reading(platform, client) as readers:
        run = client.post(f"{COUNTY}/sync-runs", json={"mode": "full"}).json()
        victim = busiest(platform, kind, client, run["links"]["self"])
        killed, killed_at = time.monotonic(), datetime.now(UTC)
        victim.kill()
        last = killed
        while time.monotonic() < last + QUIET_S:
            last = max([killed, *(moment for reader in readers for moment, _ in list(reader.failures))])
            assert last - killed < BACK_S
            time.sleep(0.1)
        done = ended_sync(client, run["links"]["self"])
        failures = [status for reader in readers for _, status in reader.failures]

    figure(f"{kind}: failed reads", len(failures), "")
    figure(f"{kind}: last failed read after", last - killed, "s", limit=BACK_S)
    assert set(failures) <= {500, 502, 503, 504}, "each with a problem document, and no connection that ends"
    assert (done["status"], done["error"]) == ("succeeded", None)
    assert datetime.fromisoformat(done["finished_at"]) > killed_at, "the sync was under way"
    assert sum(reader.answered for reader in readers) > 100


def test_the_whole_cloud_is_killed_and_a_sync_that_was_under_way_comes_to_its_end(
    platform: Platform, figure: RecordFigure
) -> None:
    with platform.signed_in("itadmin") as client:
        parcels = client.get(f"{COUNTY}/rolls").json()
        run = client.post(f"{COUNTY}/sync-runs", json={"mode": "full"}).json()
    time.sleep(1.0)
    os.kill(platform.process.pid, signal.SIGKILL)
    platform.process.wait(30)
    killed = time.monotonic()

    port = platform.address.rpartition(":")[2]
    up = command("up", "--port", port, "--data-dir", str(platform.data_dir))
    with subprocess.Popen(up, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as again:
        assert again.stdout is not None
        assert again.stdout.readline().startswith("Started in")
        figure("the whole cloud: serves again after", time.monotonic() - killed, "s", limit=2 * BACK_S)
        with platform.signed_in("itadmin") as client:
            assert ended_sync(client, run["links"]["self"])["status"] == "succeeded"
            assert client.get(f"{COUNTY}/rolls").json() == parcels
        again.terminate()
        again.communicate(timeout=60)
