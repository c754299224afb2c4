"""CSV files of a table."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from shared.csv_export.tables import cells, neutralized
from shared.tables.columns import Column, Row


def write_csv(columns: Sequence[Column], rows: Iterable[Row], path: Path) -> None:
    """Write the heading and the rows, as `shared.csv_export.tables.to_csv` does."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([neutralized(column.name) for column in columns])
        writer.writerows(map(cells, rows))
