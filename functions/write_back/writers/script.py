"""A SQL script in one transaction, of which every UPDATE is guarded by the values that were read.

A row that has changed since is not found by its UPDATE: it is reported, and stays. A key that finds several rows ends
the transaction, and nothing is written. Carried out a second time, the script changes nothing.
"""
# ruff: noqa: S608 - names and values are quoted by the dialect

from collections.abc import Iterable
from pathlib import Path

from functions.write_back.writers.dialects import SCRIPT_DIALECTS, ScriptDialect
from functions.write_back.writers.rows import WrittenRow
from shared.mapping.language.write_back import WriteBack


def write_script(write_back: WriteBack, rows: Iterable[WrittenRow], path: Path) -> None:
    """Write the script in the dialect of the county's system."""
    dialect = SCRIPT_DIALECTS[write_back.dialect or ""]
    with path.open("w", encoding=write_back.encoding, newline="\n") as file:
        file.write(dialect.beginning)
        for row in rows:
            file.write(_statement(dialect, row))
        file.write(dialect.end)


def _statement(dialect: ScriptDialect, row: WrittenRow) -> str:
    table = row.table
    target = ".".join(dialect.identifier(part) for part in table.name.split("."))
    fixed = [_equal(dialect, row, name, value) for name, value in {**row.key, **table.where}.items()]
    read = [_equal(dialect, row, name, row.read[name]) for name in row.changed]
    new = [_equal(dialect, row, name, row.new[name]) for name in row.changed]
    assigned = (
        f"{dialect.identifier(name)} = {dialect.value(row.new[name], table.type_of(name))}" for name in row.changed
    )
    update = f"UPDATE {target} SET {', '.join(assigned)}\n  WHERE {_all([*fixed, *read])}"
    written_before = f"SELECT count(*) FROM {target}\n  WHERE {_all([*fixed, *new])}"
    return dialect.guarded(row.number, dialect.text(row.label), update, written_before)


def _equal(dialect: ScriptDialect, row: WrittenRow, name: str, value: str | None) -> str:
    if value is None or (value == "" and dialect.empty_is_null):
        return f"{dialect.identifier(name)} IS NULL"
    return f"{dialect.identifier(name)} = {dialect.value(value, row.table.type_of(name))}"


def _all(conditions: list[str]) -> str:
    return "\n    AND ".join(conditions)
