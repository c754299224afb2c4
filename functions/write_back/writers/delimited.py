"""A CSV file for the import of a county's system: RFC 4180, texts as they are."""

import csv
from collections.abc import Iterable
from pathlib import Path

from functions.write_back.writers.rows import WrittenRow, require_encodable
from shared.mapping.language.write_back import WriteBack


def write_csv(write_back: WriteBack, rows: Iterable[WrittenRow], path: Path) -> None:
    """Write a heading and the rows; NULL is an empty field.

    A program reads this file, so that no text is changed for the sake of spreadsheets.
    """
    with path.open("w", encoding=write_back.encoding, newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        for number, row in enumerate(rows):
            if number == 0:
                writer.writerow(row.cells)
            for text in row.cells.values():
                require_encodable(text or "", write_back.encoding, row)
            writer.writerow(row.cells.values())
