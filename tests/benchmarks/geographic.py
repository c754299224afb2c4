"""A zipped Shapefile in State Plane synced, against a GeoPackage made of it and a sync of the same rows from Parquet.

The limit is what has to be done in any case: GDAL reads the layer, brings it to degrees and writes it once (ogr2ogr,
or, where it is not installed, GDAL's reading and writing without the transformation), and the rows are synced.
"""

import json
import shutil
import subprocess
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import polars as pl
import psutil
import pyproj
import shapely
from pyogrio import raw
from sqlalchemy import text

from infra.cli.local_platform import local_platform
from infra.examples.counties import configuration_text
from infra.local.cloud import LocalCloud
from shared.aws import forget_clients
from shared.db.engine import forget_engine
from shared.settings import settings
from tests.benchmarks.result import BenchmarkResult

DEFAULT_ROWS = 100_000
CORNERS = 10
"""Vertices of a parcel: the median of county layers is between 5 and 12."""
_MAPPING = """
source_system_type: OTHER
target_schema_version: "1.1"
county_id_default: COUNTY
table_mappings:
  - source_table_name: parcels
    target_table_name: properties_operational
    primary_key_source_fields: [PIN]
    primary_key_target_fields: [property_id]
    field_map:
      - {source: PIN, target: property_id, type: string, required: true}
      - {source: PIN, target: parcel_number, type: string}
      - {source: SITUS, target: situs_address, type: string}
      - {source: LEGAL, target: legal_description, type: string}
      - {source: CLASS, target: property_class, type: string}
      - {source: BUILT, target: year_built, type: integer}
      - {source: LAND, target: land_value, type: money}
      - {source: TOTAL, target: total_value, type: money}
      - {source: SHAPE_WKB, target: geometry, type: geometry}
      - {source: SHAPE_LONGITUDE, target: longitude, type: float}
      - {source: SHAPE_LATITUDE, target: latitude, type: float}
"""


def run(rows: int | None = None) -> BenchmarkResult:
    """Sync `rows` parcels from both files, each into a county of its own."""
    rows = rows or DEFAULT_ROWS
    with tempfile.TemporaryDirectory() as folder:
        shapefile, parquet = _files(Path(folder), rows)
        limit = _geopackage_seconds(Path(folder), shapefile)
        archive = Path(folder, "parcels.zip")
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
            for part in shapefile.parent.glob("parcels.*"):
                if part.suffix in {".shp", ".shx", ".dbf", ".prj", ".cpg"}:
                    packed.write(part, part.name)
        with _cloud(Path(folder, "cloud")) as cloud, _peaks() as peaks:
            ours = _synced(cloud, "shapes_wa", {"format": "shapefile", "file": "parcels.zip"}, archive)
            from_parquet = _synced(cloud, "parquet_wa", {"format": "parquet", "file": "parcels.parquet"}, parquet)
    return BenchmarkResult(
        name="geographic",
        rows=rows,
        seconds=ours,
        peak_rss_mb=round(peaks["geographic"], 1),
        ratio_to_limit=round(ours / (limit + from_parquet), 3),
        ratio_to_peer=None,
        details={
            "geopackage_seconds": limit,
            "by": "ogr2ogr" if shutil.which("ogr2ogr") else "pyogrio, without the transformation",
            "parquet_seconds": from_parquet,
            "workers_rss_mb": round(peaks["worker"], 1),
        },
    )


def _files(folder: Path, rows: int) -> tuple[Path, Path]:
    """The same parcels as a Shapefile in EPSG:2285 and as Parquet in degrees."""
    number = np.arange(rows)
    angles = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    x = 1_250_000 + number[:, None] % 1000 * 120.0 + 50 * np.cos(angles)
    y = 100_000 + number[:, None] // 1000 * 120.0 + 50 * np.sin(angles)
    shapes = shapely.polygons(np.stack([x, y], axis=-1))
    columns: dict[str, Any] = {
        "PIN": np.array([f"{i:010}" for i in number], dtype=object),
        "SITUS": np.array([f"{i % 9900} NE MARTIN LUTHER KING AVE" for i in number], dtype=object),
        "LEGAL": np.array([f"LOT {i % 40} BLK {i % 25} PLAT OF SECTION {i % 997}" for i in number], dtype=object),
        "CLASS": np.array(["R10" if i % 3 else "C20" for i in number], dtype=object),
        "BUILT": (1900 + number % 120).astype(np.int32),
        "LAND": (number * 73 % 900_000).astype(float),
        "TOTAL": (number * 79 % 1_500_000).astype(float),
    }
    shapefile = folder / "parcels.shp"
    raw.write(shapefile, shapely.to_wkb(shapes), list(columns.values()), list(columns), driver="ESRI Shapefile",
              geometry_type="Polygon", crs="EPSG:2285")  # fmt: skip
    to_degrees = pyproj.Transformer.from_crs(2285, 4326, always_xy=True).transform
    placed = shapely.transform(shapes, to_degrees, interleaved=False)
    points = shapely.centroid(placed)
    degrees = {"SHAPE_LONGITUDE": shapely.get_x(points), "SHAPE_LATITUDE": shapely.get_y(points)}
    frame = pl.DataFrame({**columns, "SHAPE_WKB": shapely.to_wkb(placed).tolist(), **degrees})
    frame.write_parquet(folder / "parcels.parquet")
    return shapefile, folder / "parcels.parquet"


def _geopackage_seconds(folder: Path, shapefile: Path) -> float:
    target = folder / "limit.gpkg"
    started = time.monotonic()
    program = shutil.which("ogr2ogr")
    if program is not None:
        subprocess.run([program, "-t_srs", "EPSG:4326", str(target), str(shapefile)], check=True)
    else:
        meta, _, shapes, fields = raw.read(shapefile)
        raw.write(target, shapes, fields, meta["fields"], driver="GPKG", geometry_type="Polygon", crs="EPSG:2285")
    seconds = time.monotonic() - started
    target.unlink()
    return seconds


@contextmanager
def _cloud(folder: Path) -> Iterator[LocalCloud]:
    with local_platform(folder, port=0, durable=False) as cloud:
        try:
            yield cloud
        finally:  # the next one in this process is another cloud
            forget_engine()
            forget_clients()
            settings.cache_clear()


def _synced(cloud: LocalCloud, county: str, file: dict[str, str], content: Path) -> float:
    from functions.sync.schemas.runs import SyncRequest
    from functions.sync.service import commands, run_views
    from shared.access import Caller
    from shared.db import unit_of_work

    configuration = json.loads(configuration_text("king_wa").replace("king_wa", county))
    ingestion = configuration["data_ingestion_settings"]
    ingestion.pop("connection_secret_name", None)
    ingestion["source"] = {"kind": "files", "tables": {"parcels": file}}
    with unit_of_work(county) as connection:
        connection.execute(
            text(
                "INSERT INTO counties (county_id, friendly_name, configuration, mapping, version)"
                " VALUES (:county, 'Benchmark', CAST(:configuration AS jsonb), :mapping, 1)"
            ),
            {
                "county": county,
                "configuration": json.dumps(configuration),
                "mapping": _MAPPING.replace("COUNTY", county),
            },
        )
    key = f"counties/{county}/incoming/{file['file']}"
    cloud.clients("s3").upload_file(str(content), cloud.environment["DATA_BUCKET"], key)
    caller = Caller("benchmark", "benchmark", frozenset({county}), frozenset())
    started = time.monotonic()
    job = commands.start(county, SyncRequest(), caller=caller, idempotency_key=None)
    while (run := run_views.get(county, UUID(str(job.id)))).status in ("pending", "running"):
        time.sleep(0.1)
    seconds = time.monotonic() - started
    if run.status != "succeeded":
        raise RuntimeError(f"the run is {run.status}: {run.error} {run.guard_findings}")
    return seconds


@contextmanager
def _peaks() -> Iterator[dict[str, float]]:
    """The high-water marks in MB of the process that converts, and of the workers beside it."""
    peaks = {"geographic": 0.0, "worker": 0.0}
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.1):
            for child in psutil.Process().children(recursive=True):
                try:
                    line = " ".join(child.cmdline())
                    status = Path(f"/proc/{child.pid}/status").read_text()
                except (psutil.Error, OSError):  # it ended while we looked
                    continue
                kind = "geographic" if "geographic.process" in line else "worker" if ".worker" in line else ""
                marks = [int(said.split()[1]) / 1024 for said in status.splitlines() if said.startswith("VmHWM")]
                if kind and marks:
                    peaks[kind] = max(peaks[kind], marks[0])

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peaks
    finally:
        ended.set()
        watcher.join()
