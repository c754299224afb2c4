"""A county's parcels as a GeoPackage, against the SQL and GDAL's writing alone.

The limit is the same SELECT, copied to nowhere, and one call of GDAL that writes the same rows from arrays which
are already in memory: it may hold the whole county, and builds the spatial index once.
"""

import json
import os
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sqlalchemy import text
from sqlalchemy.engine import make_url

from functions.gis_export import repository
from functions.gis_export.domain.copy_text import fields_of, values_of
from functions.gis_export.domain.features import ColumnValues, Features
from functions.gis_export.domain.layers import PARCELS
from functions.gis_export.domain.shapes import read_points
from functions.gis_export.schemas import GisExportRequest
from functions.gis_export.service.export import write_export
from functions.gis_export.writers.geopackage import GeoPackageFile
from infra.local.postgres import LocalPostgres
from shared.db import engine, unit_of_work
from shared.db.migrate import upgrade
from tests.benchmarks.result import BenchmarkResult

ROWS = 200_000
COUNTY = "bench_wa"
PASSWORD = "bench"
AS_OF = datetime(2026, 1, 1, tzinfo=UTC)

_ADDRESS = "TERRAFUSION_BENCHMARK_DATABASE"

_PARCELS = """
INSERT INTO properties_operational (
    county_id, property_id, parcel_number, situs_address, situs_city, situs_state, situs_zip, legal_description,
    property_type, property_class, neighborhood, longitude, latitude, land_area_sqft, living_area_sqft, year_built,
    effective_year, bedrooms, bathrooms, stories, condition, quality, land_value, improvement_value, total_value,
    last_sale_date, last_sale_price, tax_district, source_system, row_hash, version, valid_from)
SELECT :county_id, lpad(i::text, 10, '0'), lpad(i::text, 10, '0'), i || ' NE 45th St', 'Seattle', 'WA', '98105',
    'LOT ' || mod(i, 40) || ' BLK ' || mod(i, 900) || ' ADDITION NO ' || mod(i, 77), 'improved', 'residential',
    (98000 + mod(i, 200))::text, -122.5 + random(), 47.1 + random() / 2, 3000 + mod(i, 9000), 800 + mod(i, 4000),
    1900 + mod(i, 125), 1950 + mod(i, 75), 1 + mod(i, 5), 1.75, 2, 'average', '7', 100000 + mod(i, 500000),
    200000 + mod(i, 700000), 300000 + mod(i, 900000), CASE WHEN mod(i, 3) = 0 THEN date '2015-01-01' + mod(i, 4000) END,
    CASE WHEN mod(i, 3) = 0 THEN 250000 + mod(i, 900000) END, 'TCA ' || mod(i, 60), 'BENCH', 'h', 1, now()
FROM generate_series(1, :rows) AS i
"""


def run(rows: int | None = None) -> BenchmarkResult:
    """Export `rows` synthetic parcels; our code runs in a process of its own, and so does the limit."""
    rows = rows or ROWS
    with TemporaryDirectory() as folder, LocalPostgres(Path(folder, "postgres"), durable=False) as server:
        address = _database(server, rows)
        geopackage = _measured("ours", "geopackage", address)
        geojson = _measured("ours", "geojson", address)
        limit = _measured("limit", "geopackage", address)
    return BenchmarkResult(
        name="gis_export",
        rows=rows,
        seconds=geopackage["seconds"],
        peak_rss_mb=max(geopackage["peak_rss_mb"], geojson["peak_rss_mb"]),
        ratio_to_limit=round(geopackage["seconds"] / limit["seconds"], 3),
        ratio_to_peer=None,
        details={
            "limit_seconds": limit["seconds"],
            "limit_sql_seconds": limit["sql_seconds"],
            "limit_peak_rss_mb": limit["peak_rss_mb"],
            "geopackage_mb": geopackage["file_mb"],
            "geojson_seconds": geojson["seconds"],
            "geojson_mb": geojson["file_mb"],
        },
    )


def _database(server: LocalPostgres, rows: int) -> str:
    server.create_owner("owner", "main")
    server.create_database("bench")
    owner = server.owner_url("bench")
    upgrade(owner, PASSWORD)
    address = owner.set(username="terrafusion_app", password=PASSWORD).render_as_string(hide_password=False)
    _use(address)
    with unit_of_work(COUNTY) as connection:
        connection.execute(text(_PARCELS), {"county_id": COUNTY, "rows": rows})
    engine.forget_engine()
    return address


def _use(address: str) -> None:
    engine.forget_engine()
    setattr(engine, "database_url", lambda _arn: make_url(address))  # noqa: B010 - in place of the secret


def _measured(what: str, format_: str, address: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.gis_export", what, format_],
        env={**os.environ, _ADDRESS: address},
        check=True,
        capture_output=True,
        text=True,
    )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _ours(format_: str, folder: Path) -> dict[str, float]:
    request = GisExportRequest.model_validate({"layers": ["parcels"], "format": format_})
    started = time.perf_counter()
    file, (layer,) = write_export(COUNTY, request, folder, "ours", AS_OF, lambda *_: None)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "features": layer.features, "file_mb": round(file.path.stat().st_size / 1e6, 1)}


def _limit(_format: str, folder: Path) -> dict[str, float]:
    blocks: list[bytes] = []
    with unit_of_work(COUNTY) as connection:
        repository.stream(connection, COUNTY, PARCELS, None, lambda _: None)  # warms the server's cache
        started = time.perf_counter()
        repository.stream(connection, COUNTY, PARCELS, None, lambda _: None)
        sql_seconds = time.perf_counter() - started
        repository.stream(connection, COUNTY, PARCELS, None, blocks.append)
    _, longitude, latitude, *fields = fields_of(b"".join(blocks))
    columns = [ColumnValues(c, *values_of(c.kind, f)) for c, f in zip(PARCELS.columns, fields, strict=True)]
    points = read_points(values_of("real", longitude)[0], values_of("real", latitude)[0])
    file = GeoPackageFile(folder, "limit", 4326, AS_OF)
    started = time.perf_counter()
    file.write(PARCELS, "Point", Features(np.asarray(points), columns), new=True)
    return {"seconds": sql_seconds + time.perf_counter() - started, "sql_seconds": sql_seconds}


def _main() -> None:
    what, format_ = sys.argv[1:]
    _use(os.environ[_ADDRESS])
    with TemporaryDirectory() as folder:
        figures = {"ours": _ours, "limit": _limit}[what](format_, Path(folder))
    engine.forget_engine()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform == "darwin" else 1024)
    print(json.dumps({**figures, "peak_rss_mb": round(peak, 1)}))


if __name__ == "__main__":
    _main()
