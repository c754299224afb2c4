"""Workbooks and Parquet."""

import io
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import openpyxl
import polars as pl
import pytest

from shared.mapping import READ_FAULT, VALUE_FAULTS
from shared.problems import Unprocessable
from shared.sources.files import xlsx
from tests.unit.sources.bucket import files_source, frames, put, source_of, table, whole

UNCALCULATED = "is a formula without a saved value: open the workbook in Excel and save it"
NAMES = ["id", "owner", "value", "sold", "kept"]


def workbook(*rows: list[Any], header: list[Any] | None = None, title: str = "Parcels") -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in (header or NAMES, *rows):
        sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_a_workbooks_values_come_as_the_texts_that_mappings_read() -> None:
    content = workbook(
        ["007", "Peña", 1200.5, datetime(2016, 2, 29), True],  # noqa: DTZ001 - Excel knows no zones
        [8, None, 1200.0, date(1999, 1, 2), False],
        [],
        [9, " ", "=1+1", None, None],
    )
    assert whole(source_of(content, format="xlsx"), 2).drop(READ_FAULT).rows() == [
        ("007", "Peña", "1200.5", "2016-02-29 00:00:00", "true", None),
        ("8", None, "1200", "1999-01-02 00:00:00", "false", None),
        ("9", None, None, None, None, f"value\tcell C5 {UNCALCULATED}"),
    ]


def test_a_sheet_is_found_by_its_name_and_its_header_by_its_line() -> None:
    content = workbook(["id", "a"], [1, 2], header=["Extract of 2026-11-01"], title="Q3")
    source = source_of(content, format="xlsx", sheet="Q3", header_line=2)
    assert whole(source).drop(READ_FAULT, VALUE_FAULTS).to_dicts() == [{"id": "1", "a": "2"}]
    with pytest.raises(Unprocessable, match="has no sheet Q4; it has: Q3"):
        whole(source_of(content, format="xlsx", sheet="Q4"))


def test_two_sheets_of_one_workbook_are_two_tables() -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook([1], header=["id"], title="A")))
    book.create_sheet("B").append(["id"])
    book["B"].append([2])
    buffer = io.BytesIO()
    book.save(buffer)
    put("two.xlsx", buffer.getvalue())
    sheets = {name: {"format": "xlsx", "file": "two.xlsx", "sheet": name} for name in ("A", "B")}
    source = files_source(sheets)
    for name in sheets:  # both are cut before one is read
        source.cut(table(name), 10)
    tables = [frames(source, 10, table(name))[0].get_column("id").to_list() for name in sheets]
    assert tables == [["1"], ["2"]]


def test_a_value_beyond_the_named_columns_rejects_its_row() -> None:
    frame = whole(source_of(workbook([1, 2, "stray"], [3, 4], header=["id", "a"]), format="xlsx"))
    assert frame.get_column(READ_FAULT).to_list() == ["the row has a value beyond the last named column: stray", None]


@pytest.mark.parametrize(("limit", "bytes_"), [("MAX_UNPACKED_BYTES", 1_000), ("MAX_SHARED_TEXT_BYTES", 100)])
def test_a_workbook_that_unpacks_to_too_much_is_refused(
    monkeypatch: pytest.MonkeyPatch, limit: str, bytes_: int
) -> None:
    buffer = io.BytesIO(workbook([1, 2, 3, 4, 5]))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("xl/sharedStrings.xml", "x" * 200)
    monkeypatch.setattr(xlsx, limit, bytes_)
    with pytest.raises(Unprocessable, match="Send it as CSV"):
        whole(source_of(buffer.getvalue(), format="xlsx"))


@pytest.mark.parametrize("format_", ["xlsx", "parquet"])
@pytest.mark.parametrize("content", [b"", b"id,a\n1,2\n", b"PK\x03\x04" + b"x" * 90])
def test_a_file_that_is_not_of_its_format_is_refused(format_: str, content: bytes) -> None:
    with pytest.raises(Unprocessable, match=r"parcels\.dat is no .* that can be read"):
        whole(source_of(content, format=format_))


def test_parquet_keeps_every_digit_and_nested_values_as_json() -> None:
    frame = pl.DataFrame(
        {
            "id": [1, 2, 3],
            "value": [Decimal("1200.50"), None, Decimal("-0.01")],
            "sold": [date(2016, 2, 29), None, date(1999, 1, 2)],
            "seen": [datetime(2024, 5, 1, 10, tzinfo=UTC), None, datetime(2024, 5, 1, 10, 0, 0, 5, tzinfo=UTC)],
            "tags": [["a", 'b"'], None, []],
            "raw": [b"\x01", None, b""],
            "note": ["", None, "x"],
        }
    )
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    source = source_of(buffer.getvalue(), format="parquet")
    assert [part.height for part in frames(source, 2)] == [2, 1]
    assert whole(source).rows() == [
        ("1", "1200.50", "2016-02-29", "2024-05-01 10:00:00.000000+00:00", '["a","b\\""]', "01", ""),
        ("2", None, None, None, None, None, None),
        ("3", "-0.01", "1999-01-02", "2024-05-01 10:00:00.000005+00:00", "[]", "", "x"),
    ]
