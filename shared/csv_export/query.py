"""CSV of a query, written by the database, safe from formula injection."""
# ruff: noqa: S608 - names are quoted identifiers, values are literals

from pathlib import Path

from pg8000.native import identifier, literal
from sqlalchemy import Connection

from shared.csv_export.tables import FORMULA_STARTS, neutralized
from shared.db.copying import copy_to_file

_NON_TEXT_OIDS = frozenset({16, 20, 21, 23, 26, 700, 701, 1082, 1114, 1184, 1700, 2950})
"""OIDs of booleans, numbers, dates, times and UUIDs. A column of any other type is a text to a spreadsheet."""
_NUMBER = "^-?[0-9]+([.][0-9]+)?$"
"""A number in a text column: a negative one is no formula."""


def export_csv(connection: Connection, query: str, path: Path) -> None:
    """Write the rows of a query with a header, as `shared.csv_export.tables.to_csv` does. COPY takes no parameters."""
    described = connection.exec_driver_sql(f"SELECT * FROM ({query}) AS exported LIMIT 0").cursor.description
    columns = [f"c{number}" for number in range(len(described))]
    cells = ", ".join(
        f"{column if oid in _NON_TEXT_OIDS else _neutralized_sql(column)} AS {identifier(neutralized(name))}"
        for column, (name, oid, *_) in zip(columns, described, strict=True)
    )
    copy_to_file(connection, f"SELECT {cells} FROM ({query}) AS exported ({', '.join(columns)})", path)


def _neutralized_sql(column: str) -> str:
    starts = ", ".join(literal(start) for start in FORMULA_STARTS)
    text = f"{column}::text"
    return (
        f"CASE WHEN left({text}, 1) IN ({starts}) AND {text} !~ {literal(_NUMBER)}"
        f" THEN chr(39) || {text} ELSE {text} END"
    )
