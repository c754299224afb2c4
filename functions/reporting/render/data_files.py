"""The files of data of a report: CSV and JSON."""

import csv
import io
from typing import Any

import orjson

from functions.reporting.domain.contents import DataTable, Figure, Toned
from shared.csv_export.tables import cells, neutralized


def write_csv(table: DataTable) -> bytes:
    """Every row of a table, unrounded, as `shared.csv_export.tables.to_csv` writes one."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([neutralized(column.data_name) for column in table.columns])
    for row in table.rows:
        writer.writerow(cells(map(_value, row)))
    return text.getvalue().encode()


def write_json(document: dict[str, Any]) -> bytes:
    """A document, indented."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)


def _value(cell: Any) -> Any:
    match cell:
        case Figure():
            return cell.value
        case Toned():
            return cell.text
        case _:
            return cell
