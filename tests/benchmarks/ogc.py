"""The OGC API through gateway, authorizer, handler and row-level security: filters, pages of features, and tiles.

Pages are held against the SQL of the same rows on bare pg8000 and their serialisation as GeoJSON; tiles against the SQL
of their rows. Filters are the predicates of the CQL2 standard on its own data (`tests/data/cql2`).
"""

import json
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from urllib.parse import quote, urlsplit

import numpy as np
import orjson
import pg8000.native
import psutil
import shapely
from sqlalchemy import text
from sqlalchemy.engine import URL

from functions.features.domain.tiles import tile_window
from shared.cql2.text_encoding import text_to_json
from shared.db.engine import make_engine
from shared.layers.parcels import PARCELS
from tests.benchmarks.api_property import _token as token_of
from tests.benchmarks.api_property import running_platform
from tests.benchmarks.gateway_calls import GatewayAnswer, get_by
from tests.benchmarks.peers.seed import application_url, owner_url
from tests.benchmarks.result import BenchmarkResult
from tests.cql2_layers import add_standard_layers, standard_predicates

COUNTY = "king_wa"
PARCEL_COUNT = 100_000
PAGES = 1_000
LARGE_PAGE = 1_000
ROUNDS = 60
ZOOM = 14
TILES = 100
WEST, SOUTH = -122.4, 47.4
GRID_COLUMNS = 400
REQUIRED_CLASSES = (
    "basic-cql2",
    "advanced-comparison-operators",
    "case-insensitive-comparison",
    "basic-spatial-functions",
    "basic-spatial-functions-plus",
    "spatial-functions",
    "temporal-functions",
)
_COUNTY_SQL = f"'{COUNTY}'"
_ITEMS = f"/ogc/{COUNTY}/collections/{{}}/items"

_PARCEL_ROWS = """
INSERT INTO properties_operational (
    county_id, property_id, parcel_number, situs_address, situs_city, property_class, neighborhood, longitude, latitude,
    geometry, land_area_sqft, living_area_sqft, year_built, total_value, source_system, row_hash, version, valid_from)
SELECT :county, lpad(i::text, 10, '0'), lpad(i::text, 10, '0'), i || ' NE 45th St', 'Seattle', 'residential',
    (98000 + mod(i, 200))::text, x + 0.0003, y + 0.0002,
    decode('000000000300000001', 'hex') || int4send(5) || float8send(x) || float8send(y) || float8send(x + 0.0007)
        || float8send(y) || float8send(x + 0.0007) || float8send(y + 0.0005) || float8send(x)
        || float8send(y + 0.0005) || float8send(x) || float8send(y),
    3000 + mod(i, 9000), 800 + mod(i, 4000), 1900 + mod(i, 125), 300000 + mod(i, 900000), 'BENCH', 'h', 1, now()
FROM (SELECT i, :west + 0.0008 * mod(i, :columns) AS x, :south + 0.0006 * (i / :columns) AS y
      FROM generate_series(0, :parcels - 1) AS i) AS placed
"""
"""Lots of 170 by 180 feet, side by side: some 650 of them in a tile of zoom 14."""


class Platform(NamedTuple):
    """A local cloud with a county of parcels: how it is asked, its database, and the memory of its largest process."""

    get: Callable[[str], GatewayAnswer]
    url: URL
    largest_process_mb: Callable[[], float]


def run_cql2(rows: int | None = None) -> BenchmarkResult:
    """Each predicate's number of features, as text and as JSON; `details` by conformance class."""
    with _platform(parcels=0) as platform:
        started = time.perf_counter()
        passed: dict[str, Counter[str]] = {
            language: Counter(
                predicate.conformance_class
                for predicate in standard_predicates()
                if _matched(platform.get, predicate.layer, content_of(predicate.text), language) == predicate.features
            )
            for language, content_of in (("cql2-text", str), ("cql2-json", lambda text: json.dumps(text_to_json(text))))
        }
        seconds = time.perf_counter() - started
        memory = platform.largest_process_mb()
    of = Counter(predicate.conformance_class for predicate in standard_predicates())
    classes = {
        name: {"text": passed["cql2-text"][name], "json": passed["cql2-json"][name], "of": count}
        for name, count in of.items()
    }
    required = {language: sum(counts[name] for name in REQUIRED_CLASSES) for language, counts in passed.items()}
    return BenchmarkResult(
        name="cql2",
        rows=of.total(),
        seconds=seconds,
        peak_rss_mb=memory,
        ratio_to_limit=None,
        ratio_to_peer=None,
        details={
            "passed": {"text": passed["cql2-text"].total(), "json": passed["cql2-json"].total()},
            "of": of.total(),
            "required_passed": {"text": required["cql2-text"], "json": required["cql2-json"]},
            "required_of": sum(of[name] for name in REQUIRED_CLASSES),
            "classes": classes,
        },
    )


def run_ogc_items(rows: int | None = None) -> BenchmarkResult:
    """Pages of 1,000 parcels; and of 100, whose thousandth is compared with the first."""
    parcels = rows or PARCEL_COUNT
    with _platform(parcels) as platform:
        bare = _bare_page(platform.url)
        large = f"{_ITEMS.format('parcels')}?limit={LARGE_PAGE}"
        ours, limit = [], []
        for _ in range(ROUNDS):
            ours.append(_seconds(lambda: _ok(platform.get(large))))
            limit.append(_seconds(bare))
        first, last = _first_and_last(platform.get, min(PAGES, parcels // 100))
        early = [_seconds(lambda: _ok(platform.get(first))) for _ in range(ROUNDS)]
        late = [_seconds(lambda: _ok(platform.get(last))) for _ in range(ROUNDS)]
        memory = platform.largest_process_mb()
    median, bare_median = statistics.median(ours[5:]), statistics.median(limit[5:])
    return BenchmarkResult(
        name="ogc_items",
        rows=parcels,
        seconds=median,
        peak_rss_mb=memory,
        ratio_to_limit=median / bare_median,
        ratio_to_peer=None,
        details={
            "p50_ms": 1e3 * median,
            "sql_and_serialisation_p50_ms": 1e3 * bare_median,
            "page_1000_over_page_1": statistics.median(late[5:]) / statistics.median(early[5:]),
        },
    )


def run_tiles(rows: int | None = None) -> BenchmarkResult:
    """Tiles of zoom 14, each asked for once and again, over parcels side by side."""
    parcels = rows or PARCEL_COUNT
    with _platform(parcels) as platform:
        places = _tiles_of(parcels)
        bare = _bare_window(platform.url)
        ours, limit, sizes = [], [], []
        for row, column in places * max(1, TILES // len(places)):
            path = f"/ogc/{COUNTY}/collections/parcels/tiles/WebMercatorQuad/{ZOOM}/{row}/{column}"
            ours.append(_seconds(lambda: sizes.append(len(_ok(platform.get(path)).content))))  # noqa: B023 - called at once
            limit.append(_seconds(lambda: bare(row, column)))  # noqa: B023
        memory = platform.largest_process_mb()
    return BenchmarkResult(
        name="tiles",
        rows=parcels,
        seconds=statistics.median(ours),
        peak_rss_mb=memory,
        ratio_to_limit=statistics.median(ours) / statistics.median(limit),
        ratio_to_peer=None,
        details={
            "p50_ms": 1e3 * statistics.median(ours),
            "p95_ms": 1e3 * statistics.quantiles(ours, n=20)[-1],
            "sql_p50_ms": 1e3 * statistics.median(limit),
            "tile_kb": statistics.median(sizes) / 1024,
        },
    )


@contextmanager
def _platform(parcels: int) -> Iterator[Platform]:
    with TemporaryDirectory(prefix="benchmark-") as folder:
        data_dir = Path(folder)
        data_dir.chmod(0o755)  # PostgreSQL's own account has to reach its folder
        with running_platform(data_dir) as (platform, process):
            url = application_url(data_dir)
            _fill(url, owner_url(data_dir), parcels)
            yield Platform(get_by(platform["address"], token_of(platform)), url, lambda: _largest_mb(process))


def _largest_mb(process: psutil.Process) -> float:
    return float(max(each.memory_info().rss for each in process.children(recursive=True)) / 2**20)


def _fill(url: URL, owner: URL, parcels: int) -> None:
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.execute(text("SELECT set_config('app.county_id', :county, true)"), {"county": COUNTY})
        connection.execute(
            text(
                "INSERT INTO counties (county_id, friendly_name, configuration, mapping, version)"
                " VALUES (:county, 'King', '{}', '', 1)"
            ),
            {"county": COUNTY},
        )
        if parcels:
            grid = {"west": WEST, "south": SOUTH, "columns": GRID_COLUMNS, "parcels": parcels}
            connection.execute(text(_PARCEL_ROWS), {"county": COUNTY, **grid})
        else:
            add_standard_layers(connection, COUNTY)
    engine.dispose()
    engine = make_engine(owner)
    with engine.begin() as connection:
        connection.execute(text("ANALYZE properties_operational"))  # which autovacuum does within its minute
    engine.dispose()


def _matched(get: Callable[[str], GatewayAnswer], layer: str, content: str, language: str) -> int | None:
    path = f"{_ITEMS.format(layer)}?limit=1000&filter-lang={language}&filter={quote(content, safe='')}"
    answer = get(path)
    return len(json.loads(answer.content)["features"]) if answer.status == 200 else None


def _ok(answer: GatewayAnswer) -> GatewayAnswer:
    if answer.status != 200:
        raise RuntimeError(f"{answer.status}: {answer.content[:300]!r}")
    return answer


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _first_and_last(get: Callable[[str], GatewayAnswer], pages: int) -> tuple[str, str]:
    """The paths of the second page, which counts nothing any more, and of the last one of so many."""
    path = f"{_ITEMS.format('parcels')}?limit=100"
    paths = []
    for _ in range(pages - 1):
        links = json.loads(_ok(get(path)).content)["links"]
        (address,) = (link["href"] for link in links if link["rel"] == "next")
        path = "?".join(urlsplit(address)[2:4])
        paths.append(path)
    return paths[0], paths[-1]


def _connection(url: URL) -> pg8000.native.Connection:
    connection = pg8000.native.Connection(
        url.username or "", host=url.host or "", port=url.port or 0, database=url.database, password=url.password
    )
    connection.run("SELECT set_config('app.county_id', :county, false)", county=COUNTY)
    return connection


def _bare_page(url: URL) -> Callable[[], object]:
    """The rows of a page and their GeoJSON, with nothing around them."""
    names = [column.name for column in PARCELS.columns]
    columns = ", ".join(f"{column.expression} AS {column.name}" for column in PARCELS.columns)
    select = _connection(url).prepare(
        f"SELECT {columns}, p.geometry AS shape FROM {PARCELS.rows_sql(_COUNTY_SQL)}"
        f" ORDER BY {PARCELS.key_column.expression} LIMIT {LARGE_PAGE}"
    )

    def page() -> bytes:
        rows = select.run()
        shapes = shapely.to_geojson(shapely.from_wkb(np.array([row[-1] for row in rows], dtype=object)))
        return orjson.dumps(
            {
                "type": "FeatureCollection",
                "features": [
                    {
                        "type": "Feature",
                        "id": row[0],
                        "geometry": orjson.Fragment(shape),
                        "properties": dict(zip(names, row[:-1], strict=True)),
                    }
                    for row, shape in zip(rows, shapes, strict=True)
                ],
            },
            default=str,
        )

    return page


def _tiles_of(parcels: int) -> list[tuple[int, int]]:
    """Rows and columns of tiles that lie wholly over parcels."""
    north, east = SOUTH + 0.0006 * (parcels // GRID_COLUMNS), WEST + 0.0008 * GRID_COLUMNS
    size = 1 << ZOOM
    column = int((WEST + 180) / 360 * size) + 1
    places = []
    while tile_window(ZOOM, 0, column)[2] < east:
        for row in range(size):
            _, low, _, high = tile_window(ZOOM, row, column)
            if low > SOUTH and high < north:
                places.append((row, column))
        column += 1
    return places


def _bare_window(url: URL) -> Callable[[int, int], object]:
    columns = ", ".join(f"{column.expression} AS {column.name}" for column in PARCELS.columns)
    select = _connection(url).prepare(
        f"SELECT {columns}, p.geometry AS shape FROM {PARCELS.rows_sql(_COUNTY_SQL)}"
        " AND p.location && box(point(:west, :south), point(:east, :north))"
    )

    def window(row: int, column: int) -> object:
        west, south, east, north = tile_window(ZOOM, row, column)
        return select.run(west=west, south=south, east=east, north=north)

    return window
