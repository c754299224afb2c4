"""The files of write-backs."""

from collections.abc import Callable, Iterable
from pathlib import Path

from functions.write_back.writers.delimited import write_csv
from functions.write_back.writers.fixed_width import write_fixed_width
from functions.write_back.writers.rows import WrittenRow
from functions.write_back.writers.script import write_script
from functions.write_back.writers.workbook import write_workbook
from shared.mapping.language.write_back import WriteBack

_FOR_PROGRAMS = "application/octet-stream"
"""The type of a text that a program imports, and no spreadsheet opens: it is not changed for one."""

Writer = Callable[[WriteBack, Iterable[WrittenRow], Path], None]

WRITERS: dict[str, tuple[Writer, str, str]] = {
    "sql": (write_script, "sql", "application/sql"),
    "csv": (write_csv, "csv", _FOR_PROGRAMS),
    "fixed_width": (write_fixed_width, "txt", _FOR_PROGRAMS),
    "xlsx": (write_workbook, "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}
"""The writer of each format, the ending of its files and their content type."""
