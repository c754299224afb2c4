"""The rows of a selection as a stream of blocks."""
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from functions.gis_export.domain.copy_text import column_sql
from functions.gis_export.domain.layer_file import FileColumn
from functions.gis_export.repository.selections import Selection
from shared.db.copying import copy_out_in_parts

POSITION_COLUMNS = 3
"""A row begins with the feature's shape (WKB, hexadecimal), longitude and latitude; flags of the filter follow."""


def stream(connection: Connection, selection: Selection, columns: tuple[FileColumn, ...]) -> Iterator[bytes]:
    """The rows of a selection in parts of COPY's text, as one statement sees them."""
    layer = selection.layer
    values = ", ".join(
        column_sql(column.column.kind, column.column.expression, as_text=column.is_text_instead) for column in columns
    )
    flags = "".join(f", {flag}" for flag in selection.row_filter.flags)
    statement = (
        f"COPY (SELECT encode({layer.shape}, 'hex'), {layer.longitude}, {layer.latitude}{flags}, {values}"
        f" FROM {selection.sql} ORDER BY {layer.key_column.expression}) TO STDOUT"
    )
    parts = copy_out_in_parts(connection.connection.dbapi_connection, statement)
    try:
        yield from parts
    except BaseException:
        connection.invalidate()  # it may still be sending rows
        raise
