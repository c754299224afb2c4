"""Files for the import of a county's system."""

from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from functions.write_back.writers.delimited import write_csv
from functions.write_back.writers.fixed_width import write_fixed_width
from functions.write_back.writers.rows import WrittenRow, WrittenTable
from functions.write_back.writers.workbook import write_workbook
from shared.mapping.language.write_back import Position, WriteBack, WriteBackTable
from shared.problems import Unprocessable

TABLE = WrittenTable(
    "roll",
    ("pin",),
    ("total", "note"),
    {},
    {"total": "number"},
    {"pin": Position(start=1, length=6), "total": Position(start=10, length=8), "note": Position(start=18, length=4)},
)


def way(**more: Any) -> WriteBack:
    return WriteBack(tables=(WriteBackTable(target_table_name="assessments"),), **more)


def row(pin: str = "0017", note: str | None = None, total: str = "1500") -> WrittenRow:
    return WrittenRow(
        TABLE, 1, f"assessments {pin}", {"pin": pin}, {"total": "1", "note": note}, {"total": total, "note": note}
    )


def test_csv_is_what_programs_read(tmp_path: Path) -> None:
    write_csv(way(format="csv"), [row(note='=a, "b"'), row("0018")], tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == b'pin,total,note\r\n0017,1500,"=a, ""b"""\r\n0018,1500,\r\n'


def test_fixed_width_has_numbers_at_the_right(tmp_path: Path) -> None:
    write_fixed_width(way(format="fixed_width"), [row(note="ab")], tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == b"0017         1500ab  \r\n"


@pytest.mark.parametrize("note", ["12345", "a\nb"])
def test_a_text_that_does_not_fit_is_refused_with_its_row(tmp_path: Path, note: str) -> None:
    with pytest.raises(Unprocessable, match="note of the row assessments 0017"):
        write_fixed_width(way(format="fixed_width"), [row(note=note)], tmp_path / "f")


def test_a_character_that_the_encoding_lacks_is_refused_with_its_row(tmp_path: Path) -> None:
    for write in (write_csv, write_fixed_width):
        with pytest.raises(Unprocessable, match="assessments 0017 has a character that latin-1 does not have"):
            write(way(format="csv", encoding="latin-1"), [row(note="\u0141")], tmp_path / "f")


def test_a_workbook_has_the_systems_own_texts(tmp_path: Path) -> None:
    write_workbook(way(format="xlsx"), [row(note="=1+1")], tmp_path / "f.xlsx")
    sheet = load_workbook(tmp_path / "f.xlsx").worksheets[0]
    assert [[(cell.value, cell.data_type) for cell in line] for line in sheet.rows][1] == [
        ("0017", "s"),
        ("1500", "s"),
        ("=1+1", "s"),
    ]


def test_no_rows_are_an_empty_file(tmp_path: Path) -> None:
    write_csv(way(format="csv"), [], tmp_path / "f")
    write_workbook(way(format="xlsx"), [], tmp_path / "f.xlsx")
    assert (tmp_path / "f").read_bytes() == b""
