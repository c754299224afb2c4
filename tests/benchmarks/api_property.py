"""One property through gateway, authorizer, handler and row-level security, against the statements alone.

The limit is the same `set_config` and SELECT, prepared, in one transaction on bare pg8000; the peer is the
architecture that this one replaces: Flask in front of FastAPI on asyncpg. The requests are sent in turn.
"""

import http.client
import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pg8000.native
import psutil
from sqlalchemy import insert, text
from sqlalchemy.engine import URL

from shared.db.engine import make_engine
from shared.db.models import PropertyOperational
from tests.benchmarks.peers.seed import COLUMNS, application_url, seed_architecture, wait
from tests.benchmarks.result import BenchmarkResult

COUNTY = "king_wa"
PROPERTIES = 2_000
ROUNDS = 4_000
WARM_UP = 300
_TURNS = 8


def run(rows: int | None = None) -> BenchmarkResult:
    """`ratio_to_limit` compares medians; `ratio_to_peer` requests a CPU-second."""
    rounds = rows or ROUNDS
    with ExitStack() as stack:
        data_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-")))
        data_dir.chmod(0o755)  # PostgreSQL's own account has to reach its folder
        platform, process = stack.enter_context(running_platform(data_dir))
        token = _token(platform)
        url = application_url(data_dir)
        keys = _fill(url)
        ours = _caller(platform["address"], token)
        bare = _bare(url)
        peer_address, peer_processes = stack.enter_context(seed_architecture(url, data_dir))
        peer = _caller(peer_address, token)
        if json.loads(ours(keys[0])) != json.loads(peer(keys[0])):
            raise RuntimeError("the peer answers something else")
        for each in range(WARM_UP):
            ours(keys[each % len(keys)]), bare(keys[each % len(keys)]), peer(keys[each % len(keys)])
        seconds = _in_turn({"ours": ours, "bare": bare, "peer": peer}, keys, rounds)
        per_cpu_second = _per_cpu_second(
            {"ours": (ours, _serving(process)), "peer": (peer, peer_processes)}, keys, rounds
        )
        memory = max(each.memory_info().rss for each in _serving(process)) / 2**20
    median = {name: statistics.median(values) for name, values in seconds.items()}
    return BenchmarkResult(
        name="api_property",
        rows=rounds,
        seconds=median["ours"],
        peak_rss_mb=memory,
        ratio_to_limit=median["ours"] / median["bare"],
        ratio_to_peer=per_cpu_second["ours"] / per_cpu_second["peer"],
        details={f"p50_ms_{name}": 1e3 * value for name, value in median.items()}
        | {f"requests_per_cpu_second_{name}": value for name, value in per_cpu_second.items()},
    )


def _in_turn(calls: Mapping[str, Callable[[str], object]], keys: list[str], rounds: int) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for each in range(rounds):
        for name, call in calls.items():
            started = time.perf_counter()
            call(keys[each % len(keys)])
            seconds[name].append(time.perf_counter() - started)
    return seconds


def _per_cpu_second(
    served: dict[str, tuple[Callable[[str], bytes], list[psutil.Process]]], keys: list[str], rounds: int
) -> dict[str, float]:
    """Requests a second of CPU of the serving processes, the database's and the client's not counted.

    In turns of some hundred requests: a machine's speed changes while it is measured, and the CPU's clock is coarse.
    """
    used = dict.fromkeys(served, 0.0)
    for turn in range(_TURNS):
        for name, (call, processes) in served.items():
            before = _cpu_seconds(processes)
            for each in range(rounds // _TURNS):
                call(keys[(turn + each) % len(keys)])
            used[name] += _cpu_seconds(processes) - before
    return {name: rounds // _TURNS * _TURNS / seconds for name, seconds in used.items()}


def _serving(process: psutil.Process) -> list[psutil.Process]:
    """The local cloud's processes: all but the database's, as none of the peer's is counted either."""
    return [process, *(each for each in process.children(recursive=True) if each.name() != "postgres")]


def _cpu_seconds(processes: list[psutil.Process]) -> float:
    return float(sum(sum(process.cpu_times()[:2]) for process in processes))


def _caller(address: str, token: str) -> Callable[[str], bytes]:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
    headers = {"Authorization": f"Bearer {token}"}

    def call(key: str) -> bytes:
        connection.request("GET", f"/v1/counties/{COUNTY}/properties/{key}", headers=headers)
        answer = connection.getresponse()
        body: bytes = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {body!r}")
        return body

    return call


def _bare(url: URL) -> Callable[[str], object]:
    connection = pg8000.native.Connection(
        url.username or "", host=url.host or "", port=url.port or 0, database=url.database, password=url.password
    )
    tenant = connection.prepare("SELECT set_config('app.county_id', :county, true)")
    select = connection.prepare(
        f"SELECT {COLUMNS} FROM properties_operational WHERE county_id = :county AND property_id = :key"
    )

    def call(key: str) -> object:
        connection.run("BEGIN")
        tenant.run(county=COUNTY)
        row = select.run(county=COUNTY, key=key)
        connection.run("COMMIT")
        return row

    return call


@contextmanager
def running_platform(data_dir: Path) -> Iterator[tuple[dict[str, Any], psutil.Process]]:
    """A local cloud in another process: what it says of itself, and the process."""
    from infra.cli.session import ADDRESS_FILE

    command = [str(Path(sys.executable).parent / "terrafusion"), "up", "--port", "0", "--data-dir", str(data_dir)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            wait(lambda: (data_dir / ADDRESS_FILE).exists())
            yield json.loads((data_dir / ADDRESS_FILE).read_text()), psutil.Process(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _token(platform: dict[str, Any]) -> str:
    parts = urlsplit(platform["address"])
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
    body = json.dumps({"username": "auditor", "password": platform["passwords"]["auditor"]})
    connection.request("POST", "/v1/auth/login", body, {"content-type": "application/json"})
    token: str = json.loads(connection.getresponse().read())["access_token"]
    return token


def _fill(url: URL) -> list[str]:
    rows: list[dict[str, Any]] = [
        {
            "county_id": COUNTY,
            "property_id": f"P{number:07}",
            "parcel_number": f"{number:010}",
            "situs_address": f"{number} Main St",
            "situs_city": "Seattle",
            "property_class": "residential",
            "neighborhood": "98103",
            "longitude": -122.3,
            "latitude": 47.6,
            "living_area_sqft": 1800,
            "land_area_sqft": 5000,
            "year_built": 1950,
            "total_value": 450_000,
            "attributes": {"view": 2, "waterfront": 0},
            "source_system": "BENCHMARK",
            "row_hash": "",
            "version": 1,
            "valid_from": datetime.now(UTC),
        }
        for number in range(PROPERTIES)
    ]
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.execute(text("SELECT set_config('app.county_id', :county, true)"), {"county": COUNTY})
        connection.execute(insert(PropertyOperational), rows)
    engine.dispose()
    return [row["property_id"] for row in rows]
