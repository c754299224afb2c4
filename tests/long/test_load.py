"""An office's traffic while its county is synced in full: no request fails, answers stay quick, memory stays.

For LOAD_SECONDS (600), from 20 users of all roles. The architecture that this one replaces, Flask in front of FastAPI
on asyncpg, answers the one request that it knows under as many users, for a fifth of that time, beside the same syncs.
"""

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import httpx
import psutil
import pytest

from tests.benchmarks.peers.seed import application_url, seed_architecture
from tests.e2e.conftest import Platform
from tests.figures import RecordFigure

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(3_600),
    pytest.mark.skipif(find_spec("locust") is None, reason="needs the dependency group: uv run --group bench"),
]

COUNTY = "king_wa"
USERS = 20
SECONDS = int(os.environ.get("LOAD_SECONDS", "600"))
IDLE_REQUESTS = 500
MAX_TIMES_IDLE = 5
MAX_GROWTH = 1.1
"""Of memory in the second half. It is measured after every part has been used once."""


def test_an_office_works_while_its_county_is_synced(platform: Platform, tmp_path: Path, figure: RecordFigure) -> None:
    properties = _properties(platform)
    idle = _idle_median(platform, properties)
    figure("a property, idle, p50", idle, "ms")

    memory: list[tuple[float, float]] = []
    with _syncing(platform) as synced, _watching(platform, memory):
        requests = _load(platform.address, platform.passwords, properties, tmp_path, SECONDS)

    failures = [request for request in requests if request[3]]
    assert failures == []
    assert synced
    assert all(status == "succeeded" for status in synced)
    figure("requests", len(requests))
    figure("full syncs beside them", len(synced))
    for route, milliseconds in sorted(_by_route(requests).items()):
        figure(f"{route}, p50", statistics.median(milliseconds), "ms")
        figure(f"{route}, p99", _quantile(milliseconds, 0.99), "ms")
    reads = _by_route(requests)["a property"]
    figure("a property, p99 in times of the idle p50", _quantile(reads, 0.99) / idle, limit=MAX_TIMES_IDLE)
    growth = _growth(memory)
    figure("memory of the second half, in times of the first", growth, limit=MAX_GROWTH)
    assert growth < MAX_GROWTH

    with (
        _syncing(platform),
        seed_architecture(application_url(platform.data_dir), platform.data_dir) as (peer, _),
    ):
        tokens = {name: platform.tokens(name)["access_token"] for name in platform.passwords}
        peers = _load(peer, platform.passwords, properties, tmp_path, SECONDS // 5, tokens)
        ours = _load(platform.address, platform.passwords, properties, tmp_path, SECONDS // 5, tokens)
    for name, measured in (("the seed architecture", peers), ("this one", ours)):
        figure(f"a property alone, {name}: failed", sum(1 for request in measured if request[3]))
        figure(f"a property alone, {name}: p50", statistics.median(request[1] for request in measured), "ms")
        figure(f"a property alone, {name}: p99", _quantile([request[1] for request in measured], 0.99), "ms")


Request = tuple[str, float, float, str | None]


def _load(
    address: str,
    passwords: dict[str, str],
    properties: list[str],
    folder: Path,
    seconds: int,
    tokens: dict[str, str] | None = None,
) -> list[Request]:
    """Requests of Locust's users: route, milliseconds, moment, failure.

    - `tokens`: access tokens by user; with them the users only look at properties
    """
    figures, keys = folder / "figures.json", folder / "properties.json"
    keys.write_text(json.dumps(properties))
    command = [
        *(sys.executable, "-m", "locust", "-f", str(Path(__file__).with_name("locustfile.py"))),
        *("--headless", "--only-summary", "--host", address, "--users", str(USERS), "--spawn-rate", "5"),
        *("--run-time", f"{seconds}s", "--stop-timeout", "30", "--exit-code-on-error", "0"),
        *(("--tags", "property") if tokens else ()),
    ]
    environment = os.environ | {
        "COUNTY": COUNTY,
        "USERS": json.dumps(passwords),
        "PROPERTIES": str(keys),
        "FIGURES": str(figures),
        "TOKENS": json.dumps(tokens or {}),
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=seconds + 120)
    assert done.returncode == 0, done.stderr
    return [tuple(request) for request in json.loads(figures.read_text())]


@contextmanager
def _syncing(platform: Platform) -> Iterator[list[str]]:
    """One full sync after another; how each ended."""
    ended: list[str] = []
    stop = threading.Event()

    def sync() -> None:
        while not stop.is_set():
            with platform.signed_in("itadmin") as client:  # a token lasts for an hour
                path = f"/v1/counties/{COUNTY}/sync-runs"
                run = client.post(path, json={"mode": "full"}).raise_for_status().json()["id"]
                while (status := _status(client, f"{path}/{run}")) in ("pending", "running"):
                    time.sleep(1)
            ended.append(status)

    thread = threading.Thread(target=sync)
    thread.start()
    try:
        yield ended
    finally:
        stop.set()
        thread.join()


def _status(client: httpx.Client, path: str) -> str:
    return str(client.get(path).raise_for_status().json()["status"])


@contextmanager
def _watching(platform: Platform, memory: list[tuple[float, float]]) -> Iterator[None]:
    """The moment and the bytes of all the platform's processes, each five seconds; PostgreSQL's share theirs."""
    stop = threading.Event()
    root = psutil.Process(platform.process.pid)

    def watch() -> None:
        while not stop.wait(5):
            total = 0
            for process in (root, *root.children(recursive=True)):
                try:
                    if process.name() != "postgres":
                        total += process.memory_full_info().uss
                except psutil.Error:
                    continue
            memory.append((time.time(), total))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _growth(memory: list[tuple[float, float]]) -> float:
    """The median of the last quarter over that of the second."""
    sizes = [size for _, size in memory]
    quarter = len(sizes) // 4
    return statistics.median(sizes[-quarter:]) / statistics.median(sizes[quarter : 2 * quarter])


def _properties(platform: Platform) -> list[str]:
    with platform.signed_in("auditor") as client:
        page = client.get(f"/v1/counties/{COUNTY}/properties", params={"page_size": 500}).raise_for_status().json()
    return [item["property_id"] for item in page["items"]]


def _idle_median(platform: Platform, properties: list[str]) -> float:
    milliseconds = []
    with platform.signed_in("auditor") as client:
        for number in range(IDLE_REQUESTS):
            started = time.perf_counter()
            client.get(f"/v1/counties/{COUNTY}/properties/{properties[number % len(properties)]}").raise_for_status()
            milliseconds.append(1e3 * (time.perf_counter() - started))
    return statistics.median(milliseconds)


def _by_route(requests: list[Request]) -> dict[str, list[float]]:
    routes: dict[str, list[float]] = defaultdict(list)
    for route, milliseconds, _, _ in requests:
        routes[route].append(milliseconds)
    return routes


def _quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
