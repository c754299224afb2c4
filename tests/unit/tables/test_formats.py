"""Every format of a table holds the rows that it was given, whatever texts, numbers and days they have."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.utils.escape import unescape

from shared.parquet.thrift import Int64, encode
from shared.schemas import Schema
from shared.tables.columns import Row, columns_of, rows_of
from shared.tables.csv_file import write_csv
from shared.tables.parquet_file import ROW_GROUP, write_parquet
from shared.tables.xlsx_file import MAX_TEXT, write_xlsx

FORMULAS = ("=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "＝1")


class Author(Schema):
    """A nested schema."""

    name: str | None
    run: UUID | None = None


class Item(Schema):
    """An item with a field of each kind."""

    text: str | None
    number: int | None
    amount: Decimal | None
    measure: float | None
    flag: bool | None
    day: date | None
    moment: datetime | None
    author: Author | None
    details: dict[str, Any] | None


COLUMNS = columns_of(Item)
# what PostgreSQL's texts and the API's texts hold: any character but NUL and halves of surrogate pairs
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=60)
moments = st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))  # noqa: DTZ001
amounts = st.integers(-(10**15) + 1, 10**15 - 1).map(lambda cents: Decimal(cents).scaleb(-2))
authors = st.builds(Author, name=st.none() | texts, run=st.none() | st.uuids())
items = st.builds(
    Item,
    text=st.none() | texts | st.sampled_from(FORMULAS),
    number=st.none() | st.integers(-(2**31), 2**31),
    amount=st.none() | amounts,
    measure=st.none() | st.floats(-1e300, 1e300),
    flag=st.none() | st.booleans(),
    day=st.none() | st.dates(date(1800, 1, 1), date(2200, 1, 1)),
    moment=st.none() | moments,
    author=st.none() | authors,
    details=st.none() | st.dictionaries(texts, texts, max_size=2),
)
lists = st.lists(items, max_size=20)
here = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def queried(query: str) -> list[Any]:
    with duckdb.connect() as connection:
        return connection.execute(query).fetchall()


def rows(items: list[Item]) -> list[Row]:
    return list(rows_of(COLUMNS, items))


def test_a_nested_schema_is_columns_with_dotted_names_and_what_has_no_fields_is_json() -> None:
    assert [(column.name, column.kind.value) for column in COLUMNS] == [
        ("text", "text"),
        ("number", "integer"),
        ("amount", "decimal"),
        ("measure", "float"),
        ("flag", "boolean"),
        ("day", "date"),
        ("moment", "time"),
        ("author.name", "text"),
        ("author.run", "text"),
        ("details", "text"),
    ]
    run = UUID(int=1)
    empty: dict[str, None] = dict.fromkeys(Item.model_fields)
    (row,) = rows([Item.model_validate({**empty, "author": Author(name="a", run=run), "details": {"b": [1]}})])

    assert row[-3:] == ["a", str(run), '{"b":[1]}']


@here
@given(lists)
def test_parquet_holds_every_value_as_it_is(tmp_path: Path, items: list[Item]) -> None:
    path = tmp_path / "list.parquet"
    write_parquet(COLUMNS, rows(items), path)

    read = pl.read_parquet(path)

    assert read.rows() == [tuple(row) for row in rows(items)]
    assert queried(f"SELECT count(*) FROM '{path}'") == [(len(items),)]


def test_the_columns_of_a_parquet_file_have_their_types(tmp_path: Path) -> None:
    path = tmp_path / "list.parquet"
    write_parquet(COLUMNS, [], path)

    described = queried(f"SELECT column_name, column_type FROM (DESCRIBE FROM '{path}')")

    assert dict(described) == {
        "text": "VARCHAR",
        "number": "BIGINT",
        "amount": "DECIMAL(18,2)",
        "measure": "DOUBLE",
        "flag": "BOOLEAN",
        "day": "DATE",
        "moment": "TIMESTAMP WITH TIME ZONE",
        "author.name": "VARCHAR",
        "author.run": "VARCHAR",
        "details": "VARCHAR",
    }


def test_a_parquet_file_of_several_groups_of_rows_holds_all_of_them_in_order(tmp_path: Path) -> None:
    path, count = tmp_path / "list.parquet", 2 * ROW_GROUP + 1
    empty: Row = [None] * len(COLUMNS)
    write_parquet(COLUMNS, ([None if n % 3 else f"{n}", n, *empty[2:]] for n in range(count)), path)

    read = pl.read_parquet(path)

    assert read["number"].to_list() == list(range(count))
    assert read["text"].to_list() == [None if n % 3 else f"{n}" for n in range(count)]


def test_an_amount_that_its_column_cannot_hold_exactly_is_refused_rather_than_rounded(tmp_path: Path) -> None:
    empty: Row = [None] * len(COLUMNS)

    with pytest.raises(ValueError, match="more than 2 decimal places"):
        write_parquet(COLUMNS, [[None, None, Decimal("1.005"), *empty[3:]]], tmp_path / "list.parquet")


@here
@given(lists)
def test_csv_holds_every_value_as_text_and_no_formula(tmp_path: Path, items: list[Item]) -> None:
    path = tmp_path / "list.csv"
    write_csv(COLUMNS, rows(items), path)

    heading, *read = csv.reader(io.StringIO(path.read_bytes().decode(), newline=""))

    assert heading == [column.name for column in COLUMNS]
    for cells, row in zip(read, rows(items), strict=True):
        for cell, value in zip(cells, row, strict=True):
            assert _of_csv(cell, value) == (value if value is not None else "")
            if isinstance(value, str):
                assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


def _of_csv(cell: str, value: Any) -> Any:
    """A cell, read as the type that its column has."""
    match value:
        case bool():
            return cell == "true"
        case datetime():
            return datetime.fromisoformat(cell)
        case date():
            return date.fromisoformat(cell)
        case int() | float() | Decimal():
            return type(value)(cell)
        case _:
            return cell[1:] if cell.startswith("'") and cell != value else cell


@here
@given(lists)
def test_a_workbook_holds_typed_cells_and_no_formula(tmp_path: Path, items: list[Item]) -> None:
    path = tmp_path / "list.xlsx"
    write_xlsx(COLUMNS, rows(items), path)

    book = load_workbook(path)
    sheet = book.active
    assert sheet is not None
    heading, *read = list(sheet.iter_rows())

    assert [cell.value for cell in heading] == [column.name for column in COLUMNS]
    assert sheet.freeze_panes == "A2"
    for cells, row in zip(read, rows(items), strict=False):
        for cell, value in zip(cells, row, strict=True):
            assert cell.data_type != "f"
            assert _same(cell.value, value), (cell.value, value)


def _same(cell: Any, value: Any) -> bool:
    match value:
        case None:
            return cell is None
        case bool():
            return cell is value
        case datetime():
            shown = value.replace(tzinfo=None)
            return isinstance(cell, datetime) and abs(cell - shown) < timedelta(seconds=1)
        case date():
            return bool(cell == value.isoformat() if value < date(1900, 3, 1) else cell.date() == value)
        case int() | float() | Decimal():
            return bool(float(cell) == pytest.approx(float(value), rel=1e-14))
        case _:
            # openpyxl leaves characters that XML does not hold as they are written: _x001F_
            return bool(unescape(str(cell)) == value)


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_is_a_text_in_every_cell_and_untouched_in_parquet(tmp_path: Path, formula: str) -> None:
    row: Row = [formula, *[None] * (len(COLUMNS) - 1)]
    for write, name in ((write_csv, "a.csv"), (write_xlsx, "a.xlsx"), (write_parquet, "a.parquet")):
        write(COLUMNS, [row], tmp_path / name)

    (_, cells) = csv.reader(io.StringIO((tmp_path / "a.csv").read_bytes().decode(), newline=""))
    sheet = load_workbook(tmp_path / "a.xlsx").active
    assert sheet is not None

    assert cells[0] == "'" + formula
    assert sheet["A2"].data_type != "f"
    assert pl.read_parquet(tmp_path / "a.parquet")["text"].to_list() == [formula]


def test_a_text_beyond_what_a_cell_of_excel_holds_says_that_it_is_cut(tmp_path: Path) -> None:
    row: Row = ["x" * (MAX_TEXT + 1), *[None] * (len(COLUMNS) - 1)]
    write_xlsx(COLUMNS, [row], tmp_path / "a.xlsx")

    sheet = load_workbook(tmp_path / "a.xlsx").active
    assert sheet is not None

    assert len(str(sheet["A2"].value)) == MAX_TEXT
    assert "cut" in str(sheet["A2"].value)


def test_a_day_of_before_excels_calendar_is_a_text(tmp_path: Path) -> None:
    row: Row = [*[None] * 5, date(1862, 5, 20), datetime(1899, 1, 1, tzinfo=UTC), *[None] * 3]
    write_xlsx(COLUMNS, [row], tmp_path / "a.xlsx")

    sheet = load_workbook(tmp_path / "a.xlsx").active
    assert sheet is not None

    assert sheet["F2"].value == "1862-05-20"
    assert sheet["G2"].value == "1899-01-01T00:00:00+00:00"


def test_thrift_is_encoded_as_its_protocol_says() -> None:
    encoded = encode({1: 1, 2: True, 3: Int64(-1), 5: "ab", 6: [1, 2], 7: {1: False}})

    assert encoded == bytes.fromhex("1502 11 1601 28026162 19250204 1c12 00 00".replace(" ", ""))
