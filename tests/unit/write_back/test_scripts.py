"""Scripts: whatever a value or a name holds, it stays a value or a name."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.write_back.writers.dialects import SCRIPT_DIALECTS, ScriptDialect
from functions.write_back.writers.rows import WrittenRow, WrittenTable
from functions.write_back.writers.script import write_script
from shared.mapping.language.write_back import WriteBack, WriteBackTable

HOSTILE = [
    "'; DROP TABLE roll; --",
    "\\'; DROP TABLE roll; --",
    "x\nGO\nDROP TABLE roll",
    "x\n/\nDROP TABLE roll;",
    "$(secret) &secret $terrafusion$",
    "\\! rm -rf ~",
    "it's\r\n\x00\x1f",
    "]; DROP TABLE roll; --",
    '"; DROP TABLE roll; --',
    "\u202eevil\u2066",
]
LITERAL = re.compile(r"N?'(?:[^']|'')*'")
SPELLED = re.compile(r"(?:NCHAR|CHR)\(\d+\)", re.I)
DIALECTS = pytest.mark.parametrize("name", sorted(SCRIPT_DIALECTS))


def skeleton(expression: str) -> str:
    """An expression without its literals and its spelled characters."""
    return SPELLED.sub("", LITERAL.sub("", expression))


@DIALECTS
@given(st.text(max_size=3000) | st.sampled_from(HOSTILE))
def test_a_value_is_literals_that_are_joined_and_nothing_else(name: str, value: str) -> None:
    dialect = SCRIPT_DIALECTS[name]
    expression = dialect.value(value, "text")
    assert re.fullmatch(r"[\s()|+]*", skeleton(expression))
    literals = LITERAL.findall(expression)
    assert not any(re.search(r"[\x00-\x1f\x7f]", literal) for literal in literals), "a literal has one line"
    assert max(len(line) for line in expression.split("\n")) <= 2_499 or name != "oracle"
    assert "$(" not in expression or name != "sqlserver"
    assert spelled_out(expression) == value


def spelled_out(expression: str) -> str:
    """The text that an expression stands for, by our own reading of it."""
    text = ""
    for token in re.finditer(rf"{LITERAL.pattern}|(?:NCHAR|CHR)\((\d+)\)", expression, re.I):
        number = token[1]
        text += chr(int(number)) if number else token[0].removeprefix("N")[1:-1].replace("''", "'")
    return text


@pytest.mark.parametrize("value", ["1", "-0.50", "1e5", "0x10", "1; DROP TABLE roll", "", "1 OR 1=1", "NaN"])
def test_only_a_plain_number_stands_without_quotation_marks(value: str) -> None:
    written = SCRIPT_DIALECTS["sqlserver"].value(value, "number")
    assert (written == value) == bool(re.fullmatch(r"-?\d+(\.\d+)?", value))


@DIALECTS
def test_names_are_quoted(name: str) -> None:
    dialect = SCRIPT_DIALECTS[name]
    assert dialect.identifier("plain")[1:-1] == "plain"
    assert SCRIPT_DIALECTS["postgresql"].identifier('a"b') == '"a""b"'
    assert SCRIPT_DIALECTS["sqlserver"].identifier("a]b") == "[a]]b]"


def script(dialect: str, tmp_path: Path) -> str:
    table = WrittenTable(
        "dbo.property_val", ("prop_id",), ("market", "note"), {"sup_num": "0", "hold": ""}, {"market": "number"}, {}
    )
    row = WrittenRow(
        table,
        1,
        "assessments 17",
        {"prop_id": "17"},
        {"market": "1000", "note": None},
        {"market": "1500", "note": "it's"},
    )
    same = WrittenRow(table, 2, "x", {"prop_id": "18"}, {"market": "1", "note": None}, {"market": "2", "note": None})
    way = WriteBack(format="sql", dialect=dialect, tables=(WriteBackTable(target_table_name="assessments"),))
    write_script(way, [row, same], tmp_path / "script.sql")
    return (tmp_path / "script.sql").read_text()


def test_the_script_for_sql_server(tmp_path: Path) -> None:
    written = script("sqlserver", tmp_path)
    assert (
        "UPDATE [dbo].[property_val] SET [market] = 1500, [note] = N'it''s'\n  WHERE [prop_id] = N'17'\n"
        "    AND [sup_num] = N'0'\n    AND [hold] = N''\n    AND [market] = 1000\n    AND [note] IS NULL;\n"
        "UPDATE @rows SET written = @@ROWCOUNT WHERE row_no = 1;\n"
    ) in written
    assert "SET [market] = 2\n" in written, "a column that stays is not written"
    assert written.count("BEGIN TRANSACTION") == written.count("COMMIT TRANSACTION") == 1
    assert "THROW 50000" in written
    assert "XACT_ABORT ON" in written


def test_the_script_for_oracle_knows_that_an_empty_text_is_null(tmp_path: Path) -> None:
    written = script("oracle", tmp_path)
    assert (
        'UPDATE "dbo"."property_val" SET "market" = 1500, "note" = \'it\'\'s\'\n  WHERE "prop_id" = \'17\'\n'
        '    AND "sup_num" = \'0\'\n    AND "hold" IS NULL\n    AND "market" = 1000\n    AND "note" IS NULL;\n'
    ) in written
    assert written.count("COMMIT;") == 1
    assert "WHENEVER SQLERROR EXIT FAILURE ROLLBACK" in written


def test_every_dialect_of_a_mapping_has_a_script() -> None:
    annotation = WriteBack.model_fields["dialect"].annotation
    assert set(SCRIPT_DIALECTS) == set(re.findall(r"'(\w+)'", str(annotation)))
    assert all(isinstance(dialect, ScriptDialect) for dialect in SCRIPT_DIALECTS.values())
