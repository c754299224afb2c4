"""CSV that the database writes: harmless in a spreadsheet, and otherwise what the query says."""

import csv
import io
from pathlib import Path

import pytest
from pg8000.native import literal

from shared.csv_export.query import export_csv
from shared.db import unit_of_work
from tests.conftest import MigratedDatabase


def exported(query: str, path: Path) -> list[list[str]]:
    with unit_of_work("king_wa") as connection:
        export_csv(connection, query, path)
    return list(csv.reader(io.StringIO(path.read_bytes().decode(), newline="")))


def test_no_cell_that_is_a_text_is_a_formula_and_numbers_stay_numbers(
    database: MigratedDatabase, tmp_path: Path
) -> None:
    starts = ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"]
    texts = [start + "cmd|'/C calc'!A0" for start in starts] + ["-2+3", "+1", "-", "--1", "-1e5"]
    harmless = ["-122.45", "-3", "", "plain", "a=b", "'=1", " =1"]
    listed = ", ".join(f"({number}, {literal(text)})" for number, text in enumerate([*texts, *harmless]))
    query = (
        "SELECT t AS cell, t::varchar(80) AS \"=header\", to_jsonb(t) #>> '{}' AS cell, -1.50::numeric AS money,"
        f" -1 AS count, -0.5::double precision AS share, DATE '2026-01-31' AS day, NULL::text AS nothing"
        f" FROM (VALUES {listed}) AS v (n, t) ORDER BY n"
    )

    header, *rows = exported(query, tmp_path / "rows.csv")

    assert header == ["cell", "'=header", "cell", "money", "count", "share", "day", "nothing"]
    for text, row in zip([*texts, *harmless], rows, strict=True):
        expected = text if text in harmless else "'" + text
        assert row == [expected] * 3 + ["-1.50", "-1", "-0.5", "2026-01-31", ""]


@pytest.mark.parametrize("query", ["SELECT 1 AS n WHERE false", "SELECT true AS yes, '{\"a\": 1}'::jsonb AS document"])
def test_what_has_no_rows_or_no_texts_is_written_all_the_same(
    database: MigratedDatabase, tmp_path: Path, query: str
) -> None:
    rows = exported(query, tmp_path / "rows.csv")

    assert rows in ([["n"]], [["yes", "document"], ["t", '{"a": 1}']])
