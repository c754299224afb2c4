"""The files of data of a report: CSV and JSON."""

from typing import Any

import orjson

from functions.reporting.domain.contents import DataTable, Figure, Toned
from shared.csv_export.tables import Table, to_csv


def write_csv(table: DataTable) -> bytes:
    """Every row of a table, unrounded."""
    rows = ([_value(cell) for cell in row] for row in table.rows)
    return to_csv(Table([column.data_name for column in table.columns], rows))


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
