"""A county's parcels as GeoPackage and File Geodatabase, against `ogr2ogr` from the same PostgreSQL.

`ogr2ogr` reads the same columns by its PostgreSQL driver, as the same role under row-level security, and writes the
same layer. It is a program of the system's, not a dependency: without it there is no limit to compare with.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import text
from sqlalchemy.engine import make_url

from functions.gis_export.schemas import GisExportRequest
from functions.gis_export.service.export import write_export
from infra.local.postgres import LocalPostgres
from shared.db import engine, unit_of_work
from shared.db.migrate import upgrade
from shared.layers.parcels import PARCELS
from tests.benchmarks.result import BenchmarkResult

ROWS = 100_000
COUNTY = "bench_wa"
PASSWORD = "bench"
AS_OF = datetime(2026, 1, 1, tzinfo=UTC)
MAX_ROWS_OF_ALL_FORMATS = 200_000
"""Of more rows only the GeoPackage is written."""

_ADDRESS = "TERRAFUSION_BENCHMARK_DATABASE"
_DRIVERS = {"geopackage": "GPKG", "file_geodatabase": "OpenFileGDB"}
_WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
_OTHERS = ("geojson", "shapefile", "kml", "flatgeobuf", "geoparquet", "csv")

_PARCELS = """
INSERT INTO properties_operational (
    county_id, property_id, parcel_number, situs_address, situs_city, situs_state, situs_zip, legal_description,
    property_type, property_class, neighborhood, longitude, latitude, geometry, land_area_sqft, living_area_sqft,
    year_built, effective_year, bedrooms, bathrooms, stories, condition, quality, land_value, improvement_value,
    total_value, last_sale_date, last_sale_price, tax_district, source_system, row_hash, version, valid_from)
SELECT :county_id, lpad(i::text, 10, '0'), lpad(i::text, 10, '0'), i || ' NE 45th St', 'Seattle', 'WA', '98105',
    'LOT ' || mod(i, 40) || ' BLK ' || mod(i, 900) || ' ADDITION NO ' || mod(i, 77), 'improved', 'residential',
    (98000 + mod(i, 200))::text, x, y,
    decode('000000000300000001', 'hex') || int4send(5) || float8send(x) || float8send(y) || float8send(x + 0.001)
        || float8send(y) || float8send(x + 0.001) || float8send(y + 0.001) || float8send(x) || float8send(y + 0.001)
        || float8send(x) || float8send(y),
    3000 + mod(i, 9000), 800 + mod(i, 4000),
    1900 + mod(i, 125), 1950 + mod(i, 75), 1 + mod(i, 5), 1.75, 2, 'average', '7', 100000 + mod(i, 500000),
    200000 + mod(i, 700000), 300000 + mod(i, 900000), CASE WHEN mod(i, 3) = 0 THEN date '2015-01-01' + mod(i, 4000) END,
    CASE WHEN mod(i, 3) = 0 THEN 250000 + mod(i, 900000) END, 'TCA ' || mod(i, 60), 'BENCH', 'h', 1, now()
FROM (SELECT i, -122.5 + random() AS x, 47.1 + random() / 2 AS y FROM generate_series(1, :rows) AS i) AS placed
"""
"""Each parcel is a square of five positions, which is what most parcels are."""


def run(rows: int | None = None) -> BenchmarkResult:
    """Export `rows` synthetic parcels; our code runs in a process of its own, as `ogr2ogr` does."""
    rows = rows or ROWS
    with TemporaryDirectory() as folder, LocalPostgres(Path(folder, "postgres"), durable=False) as server:
        address = _database(server, rows)
        geopackage, limit = _compared("geopackage", address)
        details: dict[str, float | None] = {
            "limit_seconds": limit,
            "cpu_seconds": geopackage["cpu_seconds"],
            "geopackage_mb": geopackage["file_mb"],
            "gdal_peak_rss_mb": geopackage["children_peak_rss_mb"],
        }
        peaks = [geopackage["peak_rss_mb"], geopackage["children_peak_rss_mb"]]
        if rows <= MAX_ROWS_OF_ALL_FORMATS:
            geodatabase, geodatabase_limit = _compared("file_geodatabase", address)
            details["file_geodatabase_seconds"] = geodatabase["seconds"]
            details["file_geodatabase_limit_seconds"] = geodatabase_limit
            details["file_geodatabase_ratio_to_limit"] = _ratio(geodatabase["seconds"], geodatabase_limit)
            for name in _OTHERS:
                figures = _ours(name, address)
                details[f"{name}_seconds"] = figures["seconds"]
                peaks += [figures["peak_rss_mb"], figures["children_peak_rss_mb"]]
    return BenchmarkResult(
        name="gis_export",
        rows=rows,
        seconds=geopackage["seconds"],
        peak_rss_mb=max(peaks),
        ratio_to_limit=_ratio(geopackage["seconds"], limit),
        ratio_to_peer=None,
        details=details,
    )


def _compared(name: str, address: str) -> tuple[dict[str, float], float | None]:
    """Our figures and the limit's seconds, the better of two runs each, taken in turns."""
    runs = [(_ours(name, address), _limit(name, address)) for _ in range(2)]
    limits = [limit for _, limit in runs if limit is not None]
    return min((ours for ours, _ in runs), key=lambda figures: figures["seconds"]), min(limits, default=None)


def _ratio(seconds: float, limit: float | None) -> float | None:
    return None if limit is None else round(seconds / limit, 3)


def _database(server: LocalPostgres, rows: int) -> str:
    server.create_owner("owner", "main")
    server.create_database("bench")
    owner = server.owner_url("bench")
    upgrade(owner, PASSWORD)
    address = owner.set(username="terrafusion_app", password=PASSWORD).render_as_string(hide_password=False)
    _use(address)
    with unit_of_work(COUNTY) as connection:
        connection.execute(
            text(
                "INSERT INTO counties (county_id, friendly_name, configuration, mapping, version)"
                " VALUES (:county_id, 'Bench County', '{}', '', 1)"
            ),
            {"county_id": COUNTY},
        )
        connection.execute(text(_PARCELS), {"county_id": COUNTY, "rows": rows})
    engine.forget_engine()
    return address


def _use(address: str) -> None:
    engine.forget_engine()
    setattr(engine, "database_url", lambda _arn: make_url(address))  # noqa: B010 - in place of the secret


def _ours(name: str, address: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.gis_export", name],
        env={**os.environ, _ADDRESS: address},
        check=True,
        capture_output=True,
        text=True,
    )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _limit(name: str, address: str) -> float | None:
    """Seconds of `ogr2ogr` for the same rows, its start included as ours is."""
    program = shutil.which("ogr2ogr")
    if program is None:
        return None
    url = make_url(address)
    columns = ", ".join(
        f"{column.expression}{'::float8' if column.kind == 'real' else ''} AS {column.name}"
        for column in PARCELS.columns
    )
    rows = PARCELS.rows_sql(f"'{COUNTY}'")
    with TemporaryDirectory() as folder:
        target = Path(folder, "limit.gpkg" if name == "geopackage" else "limit.gdb")
        source = f"PG:host={url.host} port={url.port} dbname={url.database} user={url.username} password={url.password}"
        sql = f"SELECT {columns}, p.geometry AS wkb_geometry FROM {rows} ORDER BY {PARCELS.key_column.expression}"
        started = time.perf_counter()
        subprocess.run(
            [
                *(program, "-f", _DRIVERS[name], target, source, "-sql", sql, "-nln", "parcels"),
                *("-a_srs", "EPSG:4326", "-nlt", "MULTIPOLYGON"),
            ],
            env={**os.environ, "PGOPTIONS": f"-c app.county_id={COUNTY}", "OGR_SQLITE_SYNCHRONOUS": "OFF"},
            check=True,
            capture_output=True,
        )
        return round(time.perf_counter() - started, 3)


def _main() -> None:
    (name,) = sys.argv[1:]
    _use(os.environ[_ADDRESS])
    request = GisExportRequest.model_validate({"layers": ["parcels"], "format": name})
    with TemporaryDirectory() as folder:
        started = time.perf_counter()
        path, (layer,) = write_export(COUNTY, request, Path(folder), "ours", AS_OF, lambda *_: None)
        seconds = round(time.perf_counter() - started, 3)
        file_mb = round(path.stat().st_size / 1e6, 1)
    engine.forget_engine()
    cpu = sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, _WHO))
    figures = {"seconds": seconds, "features": layer.features, "file_mb": file_mb, "cpu_seconds": round(cpu, 2)}
    print(json.dumps({**figures, "peak_rss_mb": _peak(resource.RUSAGE_SELF), **_children()}))


def _children() -> dict[str, float]:
    return {"children_peak_rss_mb": _peak(resource.RUSAGE_CHILDREN)}


def _peak(who: int) -> float:
    return round(resource.getrusage(who).ru_maxrss / (1 if sys.platform == "darwin" else 1024), 1)


if __name__ == "__main__":
    _main()
