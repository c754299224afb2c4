"""SQL sources: the portable dialect on SQLite, and the set-up of PostgreSQL."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from shared.problems import SourceUnavailable
from shared.sources import Key, KeyRange, SourceTable
from shared.sources.secrets import ConnectionSecret
from shared.sources.sql import SqlSource, source_url
from shared.sources.sql.dialects import PostgreSql
from shared.sources.sql.statements import Statements
from shared.sources.text_values import as_text

TABLE = SourceTable("parcel", None, ("book", "page"))


@pytest.fixture
def source(tmp_path: Path) -> Iterator[SqlSource]:
    url = URL.create("sqlite", database=str(tmp_path / "legacy.db"))
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE parcel (book TEXT, page INTEGER, note TEXT)"))
        connection.execute(
            text("INSERT INTO parcel VALUES (:book, :page, :note)"),
            [{"book": f"B{i // 10}", "page": i % 10, "note": None if i % 3 else ""} for i in range(35)],
        )
        connection.execute(text("INSERT INTO parcel VALUES (NULL, 7, 'no book'), ('B1', NULL, 'no page')"))
    engine.dispose()
    made = SqlSource(url)
    yield made
    made.close()


def ranges(ends: list[Key]) -> list[KeyRange]:
    edges: list[Key | None] = [None, *ends, None]
    return [KeyRange(lower, upper) for lower, upper in pairwise(edges)]


@pytest.mark.parametrize("rows", [1, 7, 10, 36, 37, 100])
def test_the_ranges_hold_every_row_once_also_those_without_a_key(source: SqlSource, rows: int) -> None:
    total, ends = source.cut(TABLE, rows)
    shape = source.schema(TABLE)
    frames = [source.read(TABLE, shape, keys).frame() for keys in ranges(ends)]

    assert total == source.count(TABLE) == 37
    whole = pl.concat(frames)
    assert whole.height == 37
    assert whole.unique().height == 37
    assert frames[0].filter(pl.col("note").str.starts_with("no ")).height == 2


def test_null_is_kept_apart_from_an_empty_text(source: SqlSource) -> None:
    frame = source.read(TABLE, source.schema(TABLE), KeyRange(["B0", 0], ["B0", 3])).frame()
    assert frame.rows() == [("B0", "1", None), ("B0", "2", None), ("B0", "3", "")]
    assert set(frame.dtypes) == {pl.String}


def test_a_digest_changes_with_the_rows_and_not_otherwise(source: SqlSource) -> None:
    shape = source.schema(TABLE)
    uppers: list[Key] = [["B1", 1], ["B1", 1], ["B1", 2]]
    first, again, other = (source.read(TABLE, shape, KeyRange(None, upper)).digest for upper in uppers)
    assert first == again != other


def test_a_query_with_colons_and_comments_is_read_as_it_is(source: SqlSource) -> None:
    table = SourceTable(None, "SELECT book, page, ':x' || '%s' AS note FROM parcel -- all: of them", ("book", "page"))
    extract = source.read(table, source.schema(table), KeyRange(["B2", 8], ["B2", 9]))
    assert extract.frame().rows() == [("B2", "9", ":x%s")]


def test_an_empty_range_has_the_columns_of_the_table(source: SqlSource) -> None:
    frame = source.read(TABLE, source.schema(TABLE), KeyRange(["Z", 0], None)).frame()
    assert frame.is_empty()
    assert frame.columns == ["book", "page", "note"]


def test_a_table_that_is_not_there_is_an_unavailable_source(source: SqlSource) -> None:
    with pytest.raises(SourceUnavailable, match="no such table"):
        source.count(SourceTable("gone", None, ("id",)))


def test_a_refused_connection_is_reported_with_its_address_and_without_the_secret() -> None:
    secret = ConnectionSecret(
        host="127.0.0.1", port=1, dbname="cama", username="reader", password="pa55word", sslmode="disable"
    )
    with pytest.raises(SourceUnavailable) as refused:
        SqlSource(source_url(secret)).count(TABLE)
    assert "127.0.0.1:1/cama" in refused.value.detail
    assert "pa55word" not in refused.value.detail
    assert refused.value.__cause__ is None


def test_an_unknown_dialect_is_refused() -> None:
    with pytest.raises(
        SourceUnavailable, match="oracle are not supported; there are: mariadb, mssql, mysql, postgresql"
    ):
        source_url(ConnectionSecret(dialect="oracle", host="h", dbname="d", username="u", password="p"))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, None), (True, "true"), (1, "1"), (Decimal("1E+3"), "1000"), (1.5, "1.5"),
        (date(2016, 2, 29), "2016-02-29"),
        (datetime(2016, 2, 29, 1, 2, 3, tzinfo=UTC), "2016-02-29 01:02:03+00:00"), (b"\x01", "01"),
    ],
)  # fmt: skip
def test_a_drivers_value_becomes_text(value: object, written: str | None) -> None:
    assert as_text(value) == written


@pytest.mark.parametrize(
    ("keys", "condition"),
    [
        (KeyRange(None, None), ""),
        (KeyRange(None, [5]), ' WHERE ("id" <= CAST(\'5\' AS integer) OR "id" IS NULL)'),
        (KeyRange(["it's"], None), " WHERE \"id\" > CAST('it''s' AS integer) AND \"id\" IS NOT NULL"),
        (
            KeyRange([1], [5]),
            ' WHERE "id" <= CAST(\'5\' AS integer) AND "id" > CAST(\'1\' AS integer) AND "id" IS NOT NULL',
        ),
    ],
)
def test_postgresql_compares_with_quoted_values_of_the_keys_type(keys: KeyRange, condition: str) -> None:
    assert where(("id",), {"id": "integer"}, keys) == condition


def test_postgresql_compares_several_key_columns_as_rows() -> None:
    condition = where(("a", "b"), {"a": "text", "b": "integer"}, KeyRange(["x", 1], None))
    assert condition.startswith(" WHERE (\"a\", \"b\") > (CAST('x' AS text), CAST('1' AS integer)) AND ")


def where(key: tuple[str, ...], types: dict[str, str], keys: KeyRange) -> str:
    statements = Statements(PostgreSql(), '"{}"'.format, SourceTable("t", None, key), types)
    statement = statements.read(keys)
    assert not statement.parameters
    return statement.sql.partition(" AS source")[2].partition(" ORDER BY")[0]
