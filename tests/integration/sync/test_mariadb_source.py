"""MySQL and MariaDB as a source, on a real server where one is installed."""

from collections.abc import Iterator
from itertools import pairwise

import polars as pl
import pytest
from sqlalchemy.engine import URL

from shared.problems import SourceUnavailable, Unprocessable
from shared.sources import Ability, Key, KeyRange, Since, SourceTable, with_overlap
from shared.sources.secrets import ConnectionSecret
from shared.sources.sql import SqlSource, source_url
from tests.mariadb import PASSWORD, MariaDb, server_binary
from tests.unit.sources.bucket import shuffled

pytestmark = pytest.mark.skipif(server_binary() is None, reason="no MariaDB or MySQL server is installed")

PARCEL = SourceTable("parcel", None, ("book", "page"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDb]:
    started = MariaDb(server_binary() or "", tmp_path_factory.mktemp("mariadb"))
    started.run(
        "CREATE TABLE parcel (book VARCHAR(10), page INT, note TEXT, value DECIMAL(12,2), sold DATE,"
        " changed DATETIME(6), kept TINYINT)",
        "INSERT INTO parcel SELECT CONCAT('b', seq DIV 10), seq MOD 10, IF(seq MOD 3 = 0, '', NULL), seq * 1000.5,"
        " '2016-02-29', TIMESTAMPADD(MINUTE, seq, '2024-01-01 00:00:00'), 1 FROM seq_1_to_250",
        "INSERT INTO parcel VALUES (NULL, 1, 'no book', NULL, NULL, NULL, 0), ('B7', 3, 'Ünï', -1, NULL, NULL, 0)",
        "CREATE TABLE tidy (id INT PRIMARY KEY, label VARCHAR(20), wen VARCHAR(30))",
        "INSERT INTO tidy VALUES (1, '100%', '2024-05-01 10:00:00.5'), (2, ':x', '2024-05-02 00:00:00.0')",
    )
    yield started
    started.stop()


@pytest.fixture
def source(server: MariaDb) -> Iterator[SqlSource]:
    made = SqlSource(address(server.port))
    yield made
    made.close()


def address(port: int, password: str = PASSWORD) -> URL:
    return source_url(
        ConnectionSecret(
            dialect="mariadb",
            host="127.0.0.1",
            port=port,
            dbname="cama",
            username="writer",
            password=password,
            sslmode="disable",
        )
    )


def whole(source: SqlSource, table: SourceTable, rows: int) -> list[pl.DataFrame]:
    _, ends = source.cut(table, rows)
    edges: list[Key | None] = [None, *ends, None]
    shape = shuffled(source.schema(table))
    return [source.read(table, shape, KeyRange(*edge)).frame() for edge in pairwise(edges)]


@pytest.mark.parametrize("rows", [17, 100, 252])
def test_the_ranges_hold_every_row_once_under_a_collation_that_ignores_case(source: SqlSource, rows: int) -> None:
    frames = whole(source, PARCEL, rows)
    assert sum(frame.height for frame in frames) == pl.concat(frames).unique().height == source.count(PARCEL) == 252
    assert frames[0].filter(pl.col("note") == "no book").height == 1


def test_values_come_as_the_texts_that_mappings_read(source: SqlSource) -> None:
    assert source.schema(PARCEL).columns["changed"] == "datetime"
    shape = shuffled(source.schema(PARCEL))
    row = source.read(PARCEL, shape, KeyRange(["b0", 2], ["b0", 3])).frame().row(0, named=True)
    assert row == {
        "book": "b0", "page": "3", "note": "", "value": "3001.50", "sold": "2016-02-29",
        "changed": "2024-01-01 00:03:00", "kept": "1",
    }  # fmt: skip


def test_a_watermark_finds_the_rows_that_changed_since_it(source: SqlSource) -> None:
    mark = source.watermark(PARCEL, "changed")
    assert mark is not None
    assert mark.startswith("2024-01-01 04:10:00")
    since = SourceTable("parcel", None, ("book", "page"), Since("changed", with_overlap(mark, 300)))
    assert source.count(since) == 6  # five minutes, both ends included
    frames = whole(source, since, 4)
    assert [frame.height for frame in frames] == [4, 2]


def test_a_watermark_written_as_text_is_taken_where_it_sorts_by_time(source: SqlSource) -> None:
    tidy = SourceTable("tidy", None, ("id",))
    assert source.watermark(tidy, "wen") == "2024-05-02 00:00:00.0"
    with pytest.raises(Unprocessable, match="label cannot be a watermark"):
        source.watermark(tidy, "label")


def test_a_query_with_percent_signs_and_colons_is_read_as_it_is(source: SqlSource) -> None:
    table = SourceTable(None, "SELECT * FROM tidy WHERE label LIKE '100%' OR label = ':x' -- %s :all", ("id",))
    frame = source.read(table, source.schema(table), KeyRange([0], [9])).frame()
    assert frame.get_column("label").to_list() == ["100%", ":x"]


def test_the_keys_of_all_rows_come_alone(source: SqlSource) -> None:
    frames = list(source.keys(PARCEL, ("page", "book")))
    assert pl.concat(frames).columns == ["page", "book"]
    assert sum(frame.height for frame in frames) == 252


def test_it_gives_the_reason_for_missing_change_tracking(source: SqlSource) -> None:
    assert not source.capabilities.can(Ability.CHANGE_TRACKING)
    with pytest.raises(Unprocessable, match="no change tracking"):
        source.change_version(PARCEL)


def test_nothing_can_be_written_through_it(source: SqlSource) -> None:
    with source._connection("a write to") as connection, pytest.raises(Exception, match="READ ONLY"):
        connection.exec_driver_sql("INSERT INTO tidy VALUES (3, 'x', 'y')")


def test_a_wrong_password_is_not_repeated(server: MariaDb) -> None:
    with pytest.raises(SourceUnavailable) as refused:
        SqlSource(address(server.port, "wr0ng-secret")).count(PARCEL)
    assert "Access denied" in refused.value.detail
    assert "wr0ng-secret" not in refused.value.detail
    assert refused.value.__cause__ is None


def test_a_dropped_column_is_not_in_the_schema(server: MariaDb, source: SqlSource) -> None:
    server.run("CREATE TABLE shrinking (id INT PRIMARY KEY, kept INT, spare INT)")
    table = SourceTable("shrinking", None, ("id",))
    before = source.schema(table)
    server.run("ALTER TABLE shrinking DROP COLUMN spare, MODIFY kept VARCHAR(10)")
    after = source.schema(table)
    assert set(before.columns) - set(after.columns) == {"spare"}
    assert (before.columns["kept"], after.columns["kept"]) == ("long", "var_string")
    assert source.cut(table, 10) == (0, [])
