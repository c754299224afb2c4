"""The formats in which a table is handed out."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.csv_export.tables import CSV
from shared.tables.columns import Column, Row
from shared.tables.csv_file import write_csv
from shared.tables.parquet_file import write_parquet
from shared.tables.xlsx_file import write_xlsx

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class TableFormat:
    """A format: the type of its files, their ending, whether they are text, and what writes one."""

    content_type: str
    extension: str
    is_text: bool
    write: Callable[[Sequence[Column], Iterable[Row], Path], None]

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.content_type.partition(";")[0]


TABLE_FORMATS = (
    TableFormat(CSV, "csv", is_text=True, write=write_csv),
    TableFormat(XLSX, "xlsx", is_text=False, write=write_xlsx),
    TableFormat("application/vnd.apache.parquet", "parquet", is_text=False, write=write_parquet),
)
"""Every format but JSON."""
