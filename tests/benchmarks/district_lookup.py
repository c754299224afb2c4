"""Districts by coordinate and by address, through gateway, authorizer, handler and row-level security.

500 districts that fill a square, and a county's addresses, of which 1,000 are spoiled by rule
(`tests.spoiled_addresses`). The limit is the SQL of a lookup by coordinate alone, on bare pg8000.
"""

import http.client
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pg8000.native
import shapely
from sqlalchemy import text
from sqlalchemy.engine import URL

from infra.cli.session import local_client
from shared.db.engine import make_engine
from tests.benchmarks.api_property import _token as token_of
from tests.benchmarks.api_property import running_platform
from tests.benchmarks.peers.seed import application_url, wait
from tests.benchmarks.result import BenchmarkResult
from tests.district_county import SOUTH, WEST, partition_of_the_plane
from tests.spoiled_addresses import PlainAddress, addresses, spoiled

COUNTY = "king_wa"
DISTRICTS = 500
ADDRESSES = 100_000
ROUNDS = 1_000
_FEATURES = (
    "SELECT district_id, name, attributes, geometry FROM districts WHERE county_id = :county AND layer = 'fire'"
    " AND west <= :x AND east >= :x AND south <= :y AND north >= :y AND valid_to IS NULL"
)


def run(rows: int | None = None) -> BenchmarkResult:
    """`rows` are addresses; `address_found` is the share of the spoiled ones whose best match is the property meant."""
    known = addresses(rows or ADDRESSES)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        data_dir = Path(folder)
        data_dir.chmod(0o755)  # PostgreSQL's own account has to reach its folder
        with running_platform(data_dir) as (platform, process):
            url = application_url(data_dir)
            _fill(url, known)
            look_up = _caller(platform["address"], token_of(platform))
            _index(data_dir, look_up)
            points = [(WEST + 0.5 * (n % 37) / 37, SOUTH + 0.5 * (n % 41) / 41) for n in range(ROUNDS)]
            bare = _bare(url)
            for x, y in points[:100]:
                bare(x, y), look_up(longitude=x, latitude=y)
            coordinate = [_timed(lambda: look_up(longitude=x, latitude=y)) for x, y in points]  # noqa: B023 - called at once
            limit = [_timed(lambda: bare(x, y)) for x, y in points]  # noqa: B023
            ids = {address: f"P{number:07}" for number, address in enumerate(known)}
            found, by_address = 0, []
            for address, typed in spoiled(known, ROUNDS):
                started = time.perf_counter()
                answer = look_up(address=typed)
                by_address.append(time.perf_counter() - started)
                found += (answer.get("match") or {}).get("property_id") == ids[address]
            memory = max(each.memory_info().rss for each in process.children(recursive=True)) / 2**20
    return BenchmarkResult(
        name="district_lookup",
        rows=len(known),
        seconds=statistics.median(coordinate),
        peak_rss_mb=memory,
        ratio_to_limit=statistics.median(coordinate) / statistics.median(limit),
        ratio_to_peer=None,
        details={
            "coordinate_p50_ms": 1e3 * statistics.median(coordinate),
            "address_p50_ms": 1e3 * statistics.median(by_address),
            "address_p95_ms": 1e3 * statistics.quantiles(by_address, n=20)[-1],
            "address_found": found / ROUNDS,
            "sql_p50_ms": 1e3 * statistics.median(limit),
        },
    )


def _timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _caller(address: str, token: str) -> Callable[..., dict[str, Any]]:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
    headers = {"Authorization": f"Bearer {token}"}

    def call(**query: object) -> dict[str, Any]:
        path = f"/v1/counties/{COUNTY}/districts/lookup?{urlencode(query, quote_via=quote)}"
        connection.request("GET", path, headers=headers)
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
        return answer

    return call


def _bare(url: URL) -> Callable[[float, float], object]:
    connection = pg8000.native.Connection(
        url.username or "", host=url.host or "", port=url.port or 0, database=url.database, password=url.password
    )
    tenant = connection.prepare("SELECT set_config('app.county_id', :county, true)")
    select = connection.prepare(_FEATURES)

    def call(x: float, y: float) -> object:
        connection.run("BEGIN")
        tenant.run(county=COUNTY)
        rows = select.run(county=COUNTY, x=x, y=y)
        connection.run("COMMIT")
        return rows

    return call


def _fill(url: URL, known: list[PlainAddress]) -> None:
    engine = make_engine(url)
    county = {"county": COUNTY}
    districts = [
        [id_, shape.wkb.hex(), *shapely.bounds(shape).tolist()]
        for id_, shape in partition_of_the_plane(DISTRICTS, seed=1).items()
    ]
    rows = [[f"P{number:07}", address.text, address.city] for number, address in enumerate(known)]
    statements: list[tuple[str, object]] = [
        (
            (
                "INSERT INTO counties (county_id, friendly_name, configuration, mapping, version)"
                " VALUES (:county, 'King', '{\"timezone\": \"America/Los_Angeles\"}', '', 1)"
            ),
            None,
        ),
        (
            (
                "INSERT INTO district_layers (county_id, layer, title, kind, geometry_type, fields, source, version,"
                " loaded_by) VALUES (:county, 'fire', 'Fire', 'fire', 'polygon', '[]', '{}', 1, 'benchmark')"
            ),
            None,
        ),
        (
            (
                "INSERT INTO districts (county_id, layer, district_id, valid_from, name, attributes, geometry, west,"
                " south, east, north) SELECT :county, 'fire', r->>0, DATE '2024-01-01', r->>0, '{}',"
                " decode(r->>1, 'hex'),"
                " (r->>2)::float8, (r->>3)::float8, (r->>4)::float8, (r->>5)::float8"
                " FROM jsonb_array_elements(CAST(:rows AS jsonb)) r"
            ),
            districts,
        ),
        (
            (
                "INSERT INTO properties_operational (county_id, property_id, situs_address, situs_city, longitude,"
                " latitude, source_system, row_hash, version, valid_from) SELECT :county, r->>0, r->>1,"
                " r->>2, -122.2, 47.4, 'B', '',"
                " 1, now() FROM jsonb_array_elements(CAST(:rows AS jsonb)) r"
            ),
            rows,
        ),
    ]
    with engine.begin() as connection:
        connection.execute(text("SELECT set_config('app.county_id', :county, true)"), county)
        for statement, values in statements:
            parameters = county if values is None else {**county, "rows": json.dumps(values)}
            connection.execute(text(statement), parameters)
    engine.dispose()


def _index(data_dir: Path, look_up: Callable[..., dict[str, Any]]) -> None:
    """Have the addresses indexed as after a sync: by its event."""
    events: Any = local_client("events", data_dir)
    (bus,) = (each["Name"] for each in events.list_event_buses()["EventBuses"] if each["Name"] != "default")
    detail = json.dumps({"county_id": COUNTY})
    event = {"Source": "terrafusion.sync", "DetailType": "SyncCompleted", "Detail": detail, "EventBusName": bus}
    events.put_events(Entries=[event])
    wait(lambda: look_up(address="1 Nowhere St").get("type") != "urn:terrafusion:problem:addresses-not-indexed")
