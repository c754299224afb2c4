"""Curated tables for other tools: files, the manifest, and the lists of files."""

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import duckdb
import orjson
import polars as pl
import pytest
import shapely

from functions.properties.repository import parcels
from functions.sync.engine.publication.early_writer import EarlyWriter, writing_early
from functions.sync.engine.run_context import load
from functions.sync.tasks import machine
from shared.db import unit_of_work
from shared.db.engine import make_engine
from shared.mapping.curated_tables import curated_columns
from shared.precedence.overrides import Decision
from shared.problems import Conflict
from shared.settings import settings
from tests.conftest import MigratedDatabase
from tests.integration.sync.county import COUNTY, MAPPING, County
from tests.polling import eventually


def test_publish_writes_typed_files_and_a_manifest_that_names_them(county: County) -> None:
    run_id, _ = county.sync()

    manifest = orjson.loads(county.object(f"counties/{COUNTY}/curated/latest.json"))
    assert manifest["run_id"] == run_id
    table = manifest["tables"]["properties_operational"]
    assert (table["rows"], len(table["files"])) == (299, 3)
    frame = pl.concat(pl.read_parquet(io.BytesIO(county.object(file["key"]))) for file in table["files"])
    assert frame.schema["total_value"] == pl.Decimal(14, 2)
    assert frame.schema["year_built"] == pl.Int32
    stored = county.query("SELECT property_id, total_value FROM properties_operational ORDER BY property_id")
    assert frame.select("property_id", "total_value").rows() == stored


def test_the_files_of_a_new_table_are_written_while_it_is_applied(county: County, database: MigratedDatabase) -> None:
    planned = county.plan()
    run_id = planned["run_id"]
    for item in county.items(planned):
        county.partition(run_id, item)
    county.step(machine.reconcile, run_id)
    # the insert has to wait, as it does where there are many rows
    with ThreadPoolExecutor(1) as pool, make_engine(database.owner_url).connect() as owner:
        owner.exec_driver_sql("LOCK TABLE properties_operational IN SHARE MODE")
        applying = pool.submit(county.step, machine.apply, run_id)
        assert eventually(lambda: len(county.object_keys("curated/sales")) == 2)
        assert eventually(lambda: len(county.object_keys("curated/properties_operational")) == 3)
        assert county.query("SELECT count(*) FROM properties_operational") == [(0,)]
        owner.rollback()
        applying.result()

    prepared = county.step(machine.prepare, run_id)

    assert county.files(prepared) == []
    county.step(machine.publish, run_id)
    manifest = orjson.loads(county.object(f"counties/{COUNTY}/curated/latest.json"))["tables"]
    for table, files in (("properties_operational", 3), ("sales", 2)):
        assert len(manifest[table]["files"]) == files
        frame = pl.concat(pl.read_parquet(io.BytesIO(county.object(file["key"]))) for file in manifest[table]["files"])
        names = ", ".join(name for name in frame.columns if name not in ("geometry", "attributes"))
        stored = county.query(f"SELECT {names} FROM {table} ORDER BY {frame.columns[0]}")
        assert frame.drop("geometry", "attributes", strict=False).rows() == stored
        assert manifest[table]["rows"] == len(stored)


def test_files_written_while_a_run_was_not_applied_are_not_published(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = county.plan()
    run_id = planned["run_id"]
    for item in county.items(planned):
        county.partition(run_id, item)
    county.step(machine.reconcile, run_id)
    context = load(COUNTY, UUID(run_id))
    with unit_of_work(COUNTY) as connection:
        with writing_early(connection, context) as files:
            assert eventually(lambda: len(county.object_keys("curated/")) == 5)
        files.record()
        connection.rollback()  # as where the database gives the transaction up
    monkeypatch.setattr(EarlyWriter, "write", lambda _: None)
    county.step(machine.apply, run_id)

    assert len(county.files(county.step(machine.prepare, run_id))) == 5


def test_only_the_curated_files_with_a_changed_row_are_written_anew(county: County) -> None:
    county.sync()
    first = orjson.loads(county.object(f"counties/{COUNTY}/curated/latest.json"))["tables"]
    county.change("UPDATE parcel SET value = '1' WHERE id = 1")

    county.sync()

    second = orjson.loads(county.object(f"counties/{COUNTY}/curated/latest.json"))["tables"]
    assert second["sales"] == first["sales"]
    (before, *others), (after, *same) = (item["properties_operational"]["files"] for item in (first, second))
    assert same == others
    assert before["key"] != after["key"]


def test_an_edit_is_published_by_the_next_run_that_publishes(county: County) -> None:
    county.sync()
    with unit_of_work(COUNTY) as connection:
        edited = {"property_class": "mixed"}
        parcels.supersede(connection, COUNTY, "000200", edited, Decision(uuid4(), "edit", "somebody"))
    county.change("UPDATE sale SET price = '7' WHERE parcel_id = 1")

    county.sync()

    table = orjson.loads(county.object(f"counties/{COUNTY}/curated/latest.json"))["tables"]["properties_operational"]
    frame = pl.concat(pl.read_parquet(io.BytesIO(county.object(file["key"]))) for file in table["files"])
    assert frame.filter(pl.col("property_class") == "mixed").get_column("property_id").to_list() == ["000200"]


def test_a_table_that_outgrows_its_files_is_cut_anew(county: County) -> None:
    county.sync()
    county.change("INSERT INTO parcel SELECT i, 'P' || i, 'R', '1990', '1' FROM generate_series(301, 900) AS i")

    county.sync()

    table = orjson.loads(county.object(f"counties/{COUNTY}/curated/latest.json"))["tables"]["properties_operational"]
    assert [file["rows"] for file in table["files"]] == [120] * 7 + [59]
    frame = pl.concat(pl.read_parquet(io.BytesIO(county.object(file["key"]))) for file in table["files"])
    assert frame.get_column("property_id").is_sorted()
    assert frame.height == frame.get_column("property_id").n_unique() == 899


def test_the_file_of_properties_is_a_layer_of_points_and_athena_finds_it(county: County) -> None:
    county.set_mapping(
        MAPPING.replace(
            "      - {source: note",
            "      - {target: longitude, type: float, default: -122.25}\n"
            "      - {target: latitude, type: float, default: 47.5}\n      - {source: note",
        )
    )
    county.sync()

    listed = county.object(f"counties/{COUNTY}/curated/athena/properties_operational/files.txt").decode().split()
    key = listed[0].removeprefix(f"s3://{settings().data_bucket}/")
    geo = orjson.loads(pl.read_parquet_metadata(io.BytesIO(county.object(key)))["geo"])
    assert geo["primary_column"] == "geometry"
    assert geo["columns"]["geometry"] == {
        "encoding": "WKB",
        "geometry_types": ["Point"],
        "bbox": [-122.25, 47.5, -122.25, 47.5],
    }
    points = shapely.from_wkb(pl.read_parquet(io.BytesIO(county.object(key))).get_column("geometry").to_list())
    assert {(point.x, point.y) for point in points} == {(-122.25, 47.5)}
    assert len(listed) == 3


def test_nothing_points_at_a_publication_with_a_missing_file(county: County) -> None:
    planned = county.plan()
    for item in county.items(planned):
        county.partition(planned["run_id"], item)
    county.step(machine.reconcile, planned["run_id"])
    county.step(machine.apply, planned["run_id"])
    first, *others = county.files(county.step(machine.prepare, planned["run_id"]))
    for item in others:
        county.curate(planned["run_id"], item)

    with pytest.raises(Conflict, match="has not been written"):
        county.step(machine.publish, planned["run_id"])

    assert county.object_keys("curated/latest.json") == []
    county.curate(planned["run_id"], first)
    county.step(machine.publish, planned["run_id"])
    assert county.object_keys("curated/latest.json")


def test_a_published_file_has_the_columns_and_types_of_the_catalog(county: County, tmp_path: Path) -> None:
    county.sync()

    manifest = orjson.loads(county.object(f"counties/{COUNTY}/curated/latest.json"))
    for name, table in manifest["tables"].items():
        path = tmp_path / f"{name}.parquet"
        path.write_bytes(county.object(table["files"][0]["key"]))
        described = duckdb.execute(f"DESCRIBE SELECT * FROM read_parquet('{path}')").fetchall()
        assert [(column, _HIVE.get(kind, kind.lower())) for column, kind, *_ in described] == [
            (column.name, column.hive_type) for column in curated_columns(name)
        ]


_HIVE = {
    "VARCHAR": "string",
    "INTEGER": "int",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
    "GEOMETRY('OGC:CRS84')": "binary",  # as DuckDB reads GeoParquet
}
