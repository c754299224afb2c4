"""SQL of the exports: how much there is, and all of it as a stream of blocks."""

from collections.abc import Callable
from dataclasses import dataclass

from pg8000.native import literal
from sqlalchemy import Connection, text

from functions.gis_export.domain.copy_text import BlockStream
from functions.gis_export.domain.layers import Layer

BLOCK_ROWS = 20_000
BLOCK_BYTES = 16 * 1024 * 1024

POSITION_COLUMNS = 3
"""A row begins with the parcel's shape (WKB, hexadecimal), longitude and latitude."""

_NOWHERE = "p.location IS NULL AND p.geometry IS NULL"

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Survey:
    """Counts of a layer: rows with a position, rows without, and which types the shapes are of (WKB's numbers)."""

    located: int
    without_location: int
    points: int
    shape_types: frozenset[int]
    extent: Box | None


def survey(connection: Connection, county_id: str, layer: Layer, box: Box | None) -> Survey:
    """Count a layer, in the window where there is one; rows without position are counted wherever they belong."""
    row = connection.execute(
        text(
            f"SELECT count(*) FILTER (WHERE NOT ({_NOWHERE}) AND {_inside(box)}) AS located,"  # noqa: S608 - ours
            f" count(*) FILTER (WHERE {_NOWHERE}) AS without_location,"
            " count(*) FILTER (WHERE p.geometry IS NULL AND p.location IS NOT NULL) AS points,"
            " min(p.longitude) AS west, min(p.latitude) AS south, max(p.longitude) AS east, max(p.latitude) AS north"
            f" FROM {_rows_of(layer, ':county_id')}"
        ),
        {"county_id": county_id},
    ).one()
    headers = connection.scalars(
        text(
            f"SELECT DISTINCT substring(p.geometry FROM 1 FOR 5)"  # noqa: S608 - ours
            f" FROM {_rows_of(layer, ':county_id')}"
            " AND p.geometry IS NOT NULL"
        ),
        {"county_id": county_id},
    )
    return Survey(
        located=row.located,
        without_location=row.without_location,
        points=row.points,
        shape_types=frozenset(map(_type_number, headers)),
        extent=None if row.west is None or row.south is None else (row.west, row.south, row.east, row.north),
    )


def stream(
    connection: Connection, county_id: str, layer: Layer, box: Box | None, take: Callable[[bytes], None]
) -> None:
    """Send a layer's rows to `take` in blocks of COPY's text, as one statement sees them."""
    columns = ", ".join(column.sql for column in layer.columns)
    statement = (
        f"COPY (SELECT encode({layer.shape}, 'hex'),"  # noqa: S608 - names of ours, and the county as a literal
        " coalesce(p.longitude, 'NaN'), coalesce(p.latitude, 'NaN'),"
        f" {columns} FROM {_rows_of(layer, literal(county_id))} AND NOT ({_NOWHERE}) AND {_inside(box)}"
        f" ORDER BY {layer.key}) TO STDOUT"
    )
    blocks = BlockStream(take, BLOCK_ROWS, BLOCK_BYTES)
    try:
        connection.connection.cursor().execute(statement, stream=blocks)  # type: ignore[call-arg]  # pg8000's own
    except BaseException:
        connection.invalidate()  # it may still be sending rows
        raise
    blocks.flush()


def _rows_of(layer: Layer, county_id: str) -> str:
    """The rows of a layer; `county_id` is SQL: a parameter, or a literal where COPY takes no parameter."""
    return f"{layer.tables} WHERE {layer.condition.format(county_id=county_id)}"


def _inside(box: Box | None) -> str:
    """Condition for rows that may lie in the window: points that do, and shapes without a point, to be tested."""
    if box is None:
        return "true"
    west, south, east, north = (repr(float(side)) for side in box)
    return f"(p.location && box(point({west}, {south}), point({east}, {north})) OR p.location IS NULL)"


def _type_number(header: bytes) -> int:
    """The type in a WKB header, without the marks of dimensions and of a reference system; 0 for no such header."""
    if len(header) < 5 or header[0] > 1:
        return 0
    return (int.from_bytes(header[1:], "little" if header[0] else "big") & 0xFFFF) % 1000
