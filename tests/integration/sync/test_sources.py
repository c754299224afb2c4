"""A county's source, opened by its configuration and its secret; and whole runs from files."""

import json
import logging
import traceback
from typing import Any

import boto3
import polars as pl
import pytest
import shapely
from sqlalchemy import text

from functions.sync.tasks.retries import RetryableError
from infra.examples.counties import configuration_text
from shared.counties.configuration import CountyConfiguration
from shared.db import unit_of_work
from shared.problems import Problem, SourceRefused, SourceUnavailable
from shared.settings import settings
from shared.sources.files.source import FilesSource
from shared.sources.opening import open_source
from shared.sources.sql import SqlSource
from shared.sources.web.arcgis import ArcGisSource
from shared.sources.web.socrata import SocrataSource
from tests.integration.sync.county import COUNTY, MAPPING, County
from tests.integration.sync.test_approval import ONE, api

SECRET = f"terrafusion/{COUNTY}/source"
FILES = {
    "kind": "files",
    "tables": {
        "parcel": {"format": "csv", "file": "parcels 2026.csv"},
        "sale": {"format": "fixed_width", "file": "sales.txt", "columns": [
            {"name": "parcel_id", "start": 1, "length": 3}, {"name": "seq", "start": 4, "length": 1},
            {"name": "sold", "start": 5, "length": 8}, {"name": "price", "start": 13, "length": 9},
        ]},
    },
}  # fmt: skip
OF_FILES = MAPPING.replace("source_query: SELECT * FROM parcel WHERE kept", "source_table_name: parcel").replace(
    "{source: parcel_id, target: property_id, type: string,", "{source: parcel_id, target: property_id, type: string,"
)


def configuration(source: dict[str, Any] | None) -> CountyConfiguration:
    document = json.loads(configuration_text("king_wa").replace("king_wa", COUNTY))
    if source is not None:
        del document["data_ingestion_settings"]["connection_secret_name"]
        document["data_ingestion_settings"]["source"] = source
    return CountyConfiguration.model_validate(document)


def use(source: dict[str, Any]) -> None:
    """Give the county another source."""
    with unit_of_work(COUNTY) as connection:
        connection.execute(
            text("UPDATE counties SET configuration = CAST(:configuration AS jsonb)"),
            {"configuration": configuration(source).model_dump_json()},
        )


def upload(name: str, content: str) -> None:
    boto3.client("s3").put_object(
        Bucket=settings().data_bucket, Key=f"counties/{COUNTY}/incoming/{name}", Body=content.encode()
    )


def parcels(*changed: str, count: int = 250) -> str:
    lines = [f'{n},P{n},{"C" if n % 10 == 0 else "R"},{1900 + n % 100},"${n},000.50",note {n}' for n in range(1, count)]
    return "\n".join(["id,pin,class,built,value,note", *lines, *changed]) + "\n"


def sales(count: int = 120) -> str:
    return "".join(f"{n:03}120150115{100_000 + n:9}\n" for n in range(1, count))


@pytest.fixture
def of_files(county: County) -> County:
    use(FILES)
    county.set_mapping(OF_FILES)
    upload("parcels 2026.csv", parcels())
    upload("sales.txt", sales())
    return county


def test_files_are_synced_in_partitions_and_unchanged_ones_not_again(of_files: County) -> None:
    run_id, outcome = of_files.sync()
    assert outcome == "apply"
    assert of_files.query("SELECT count(*), sum(total_value)::int FROM properties_operational") == [(249, 31_125_125)]
    assert of_files.query("SELECT count(*) FROM sales") == [(119,)]
    assert of_files.query("SELECT count(*) FROM sync_partitions WHERE run_id = CAST(:id AS uuid)", id=run_id) == [
        (3 + 2,)
    ]
    assert of_files.sync()[1] == "unchanged"


def test_a_new_file_is_compared_row_by_row_and_shows_removed_rows(of_files: County) -> None:
    of_files.sync()
    upload(
        "parcels 2026.csv", parcels("900,P900,R,2001,5,new").replace("P17,", "P17x,").replace("\n18,P18", "\n950,P18")
    )
    run_id, outcome = of_files.sync()
    assert outcome == "apply"
    table = api("GET", ONE, run_id).body["tables"]["properties_operational"]
    assert [table[name] for name in ("added", "changed", "removed")] == [2, 1, 1]


def test_a_malformed_line_is_rejected_and_the_others_are_applied(of_files: County) -> None:
    upload("parcels 2026.csv", parcels("800,P800,R,2001,5,a,b,c", "801,P801"))
    of_files.sync()
    rows = of_files.query("SELECT source_key, reasons FROM rejected_rows ORDER BY source_key")
    assert [(key, reasons[0]["rule"]) for key, reasons in rows] == [
        ("800", "unreadable_row"),
        ("801", "unreadable_row"),
    ]
    assert "the record has 8 fields and the header 6: 800,P800,R,2001,5,a,b,c" in rows[0][1][0]["message"]
    assert of_files.query("SELECT count(*) FROM properties_operational") == [(249,)]


@pytest.mark.parametrize(
    ("name", "content", "slug"),
    [
        ("parcels 2026.csv", parcels()[:-12], "file-truncated"),
        ("sales.txt", sales()[:-12], "file-truncated"),
        ("parcels 2026.csv", parcels().replace("built", "year_built"), "source-column-missing"),
        ("parcels 2026.csv", "", "file-empty"),
    ],
)
def test_a_file_that_is_not_whole_fails_the_run_and_changes_nothing(
    of_files: County, name: str, content: str, slug: str
) -> None:
    of_files.sync()
    before = of_files.row_versions()
    upload(name, content)
    with pytest.raises(Problem) as refused:
        of_files.sync()
    assert refused.value.slug == slug
    assert of_files.row_versions() == before


def test_a_file_without_rows_is_no_empty_county(of_files: County) -> None:
    of_files.sync()
    upload("parcels 2026.csv", parcels(count=1))
    _, outcome = of_files.sync()
    assert outcome == "awaiting_approval"
    assert of_files.query("SELECT count(*) FROM properties_operational WHERE retired_at IS NULL") == [(249,)]


def test_a_missing_file_is_refused_at_once_and_not_retried(of_files: County) -> None:
    use({**FILES, "tables": {**FILES["tables"], "sale": {"format": "csv", "file": "missing.csv"}}})  # type: ignore[dict-item]
    with pytest.raises(SourceRefused, match=r"no file missing\.csv below incoming/"):
        of_files.plan()


def test_a_file_that_is_replaced_while_it_is_read_fails_the_run(of_files: County) -> None:
    planned = of_files.plan()
    items = of_files.items(planned)
    of_files.partition(planned["run_id"], items[0])
    upload("parcels 2026.csv", parcels("900,P900,R,2001,5,new"))
    with pytest.raises(Problem) as refused:
        of_files.partition(planned["run_id"], items[1])
    assert refused.value.slug == "object-replaced"


def test_each_kind_of_source_is_opened_by_its_description(county: County) -> None:
    boto3.client("secretsmanager").create_secret(
        Name=f"terrafusion/{COUNTY}/token", SecretString='{"token": "t0ken", "app_token": "t0ken"}'
    )
    opened: dict[type, dict[str, Any]] = {
        SqlSource: {"kind": "sql", "secret_name": SECRET},
        FilesSource: FILES,
        ArcGisSource: {"kind": "arcgis", "url": "https://gis.example/rest/services/x/FeatureServer",
                       "layers": {"p": 0}, "secret_name": f"terrafusion/{COUNTY}/token"},
        SocrataSource: {"kind": "socrata", "domain": "data.example.gov", "datasets": {"p": "abcd-1234"},
                        "secret_name": f"terrafusion/{COUNTY}/token"},
    }  # fmt: skip
    for kind, description in opened.items():
        source = open_source(configuration(description))
        assert isinstance(source, kind)
        source.close()
    assert isinstance(open_source(configuration(None)), SqlSource)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"kind": "sql", "secret_name": "terrafusion/king_wa/source"}, "must begin with terrafusion/testing_wa/"),
        ({"kind": "arcgis", "url": "http://gis.example/FeatureServer", "layers": {"p": 0}}, "url"),
        ({"kind": "arcgis", "url": "https://gis.example/x", "layers": {"p": 0}}, "url"),
        ({"kind": "arcgis", "url": "https://u:p@gis.example/x/FeatureServer", "layers": {"p": 0}}, "holds no user"),
        (
            {"kind": "arcgis", "url": "https://gis.example/FeatureServer?token=x/FeatureServer", "layers": {"p": 0}},
            "url",
        ),
        ({"kind": "socrata", "domain": "data.example.gov/x", "datasets": {"p": "abcd-1234"}}, "domain"),
        ({"kind": "socrata", "domain": "data.example.gov", "datasets": {"p": "abcd"}}, "datasets"),
        ({"kind": "files", "tables": {"p": {"format": "csv", "file": "../king_wa/x.csv"}}}, "file"),
        ({"kind": "files", "tables": {"p": {"format": "csv", "file": "x.csv", "delimiter": '"'}}}, "delimiter"),
        ({"kind": "files", "tables": {"p": {"format": "csv", "file": "x.csv", "header": False}}}, "give `columns`"),
        ({"kind": "ftp"}, "does not match any of the expected tags"),
    ],
)
def test_a_description_that_cannot_be_is_refused(source: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match="validation error") as refused:
        configuration(source)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "secret",
    [
        '{"host": "127.0.0.1", "port": 1, "dbname": "cama", "username": "reader", "password": "pa55word"}',
        '{"host": "127.0.0.1", "password": "pa55word"}',
        '{"host": "127.0.0.1", "port": "pa55word", "dbname": "x", "username": "u", "password": "pa55word"}',
        '{"dialect": "pa55word", "host": "h", "dbname": "x", "username": "u", "password": "p"}',
        "pa55word",
    ],
)
def test_nothing_of_a_secret_reaches_a_message_a_log_or_the_run(
    county: County, secret: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)  # at DEBUG botocore writes down what it is told
    county.set_secret(secret)
    with pytest.raises(SourceUnavailable) as refused:
        county.plan()
    known = "pa55word" if '"dialect"' not in secret else "never"
    county.fail(str(county.query("SELECT run_id FROM sync_runs")[0][0]), refused.value)
    text = "".join(traceback.format_exception(refused.value))  # with what caused it
    kept = str(county.query("SELECT error::text FROM jobs"))
    assert known not in text + kept + caplog.text + capsys.readouterr().out


def test_a_source_that_fails_midway_leaves_its_partition_pending_with_the_reason(county: County) -> None:
    planned = county.plan()
    items = county.items(planned)
    county.partition(planned["run_id"], items[0])
    county.set_secret(county.secret(1))
    with pytest.raises(RetryableError, match="cannot be read"):
        county.partition(planned["run_id"], items[1])
    assert county.query("SELECT error FROM sync_partitions WHERE partition_no = 2 AND error IS NOT NULL") != []
    county.set_secret(county.secret(county.port))
    assert county.go_on(planned) == "apply"


def test_parcels_shapes_are_stored_published_and_removed_like_any_value(county: County) -> None:
    county.set_mapping(
        MAPPING.replace(
            "      - {source: note,",
            "      - {source: spare, target: geometry, type: geometry, transformations: [{type: parse_wkt}]}\n"
            "      - {source: note,",
        )
    )
    county.change("UPDATE parcel SET spare = 'POLYGON ((0 0, 1 0, 1 1, 0 0))' WHERE id = 7")
    stored = "SELECT encode(geometry, 'hex') FROM properties_operational WHERE property_id = '000007'"

    county.sync()
    shape = shapely.from_wkt("POLYGON ((0 0, 1 0, 1 1, 0 0))")
    assert county.query(stored) == [(shapely.to_wkb(shape, hex=True).lower(),)]
    frames = [pl.read_parquet(county.object(key)) for key in county.object_keys("curated/properties_operational")]
    (published,) = pl.concat(frames).filter(pl.col("property_id") == "000007").get_column("geometry")
    assert shapely.from_wkb(published).equals(shape)

    county.change("UPDATE parcel SET spare = NULL WHERE id = 7")
    county.sync()
    assert county.query(stored) == [(None,)]


def test_a_key_that_is_retyped_orders_its_rows_otherwise_and_loses_none(county: County) -> None:
    county.change("UPDATE parcel SET id = id * 9 + 100000; UPDATE parcel SET id = id - 100000")
    county.sync()
    before = county.row_versions()["properties_operational"]
    county.change("ALTER TABLE parcel ALTER id TYPE text, ALTER class TYPE varchar(10)")

    run_id, _ = county.sync()

    assert county.row_versions()["properties_operational"] == before
    table = api("GET", ONE, run_id).body["tables"]["properties_operational"]
    assert [table[name] for name in ("read", "rejected", "changed", "removed")] == [300, 1, 0, 0]
