"""Some rows of a file or of a database, as texts: what a first mapping is guessed from."""

import csv
import gzip
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import typer

from shared.mapping.proposal import SampledColumn, SampledTable

ROWS = 1_000
"""Rows that are looked at: enough to see what a column holds, and few enough for any file."""
FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".gz": "csv",
    ".xlsx": "xlsx",
    ".parquet": "parquet",
    ".zip": "shapefile",
    ".gpkg": "geopackage",
}
_DRIVERS = {
    "postgresql": "postgresql+pg8000",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "mssql": "mssql+pytds",
    "sqlserver": "mssql+pytds",
}
Sample = tuple[list[str], Sequence[Sequence[Any]]]
"""The columns' names, and rows."""
_SHAPE_COLUMNS = ("SHAPE_WKB", "SHAPE_LONGITUDE", "SHAPE_LATITUDE")


def sampled_file(file: Path) -> SampledTable:
    """The first rows of a file. Raises typer.BadParameter."""
    kind = FORMATS.get(file.suffix.lower())
    if kind is None:
        raise typer.BadParameter(f"{file} is of no format that is read here: {', '.join(FORMATS)}")
    readers: dict[str, Callable[[Path], Sample]] = {
        "csv": _delimited,
        "xlsx": _workbook,
        "parquet": _parquet,
        "shapefile": _layer,
        "geopackage": _layer,
    }
    try:
        names, rows = readers[kind](file)
    except (OSError, ValueError, csv.Error, RuntimeError) as error:
        raise typer.BadParameter(f"{file} cannot be read: {error}") from None
    return _table(file.name.partition(".")[0], names, rows)


def sampled_database(secret: Mapping[str, Any]) -> list[SampledTable]:
    """The first rows of each table and view of a database, with its primary keys. Raises typer.BadParameter."""
    from sqlalchemy import MetaData, create_engine, inspect, select
    from sqlalchemy.engine import URL
    from sqlalchemy.exc import SQLAlchemyError

    dialect = str(secret.get("dialect", "postgresql")).lower()
    if dialect not in _DRIVERS:
        raise typer.BadParameter(f"the secret's dialect {dialect} is none of {', '.join(_DRIVERS)}")
    port = secret.get("port")
    url = URL.create(
        _DRIVERS[dialect], secret["username"], secret["password"], secret["host"], port and int(port), secret["dbname"]
    )
    plain = dialect == "postgresql" and secret.get("sslmode") == "disable"
    engine = create_engine(url, connect_args={"ssl_context": False} if plain else {})
    tables = []
    try:
        metadata = MetaData()
        metadata.reflect(engine, views=True)
        inspector = inspect(engine)
        with engine.connect() as connection:
            for table in metadata.sorted_tables:
                rows = connection.execute(select(table).limit(ROWS)).fetchall()
                key = tuple(inspector.get_pk_constraint(table.name)["constrained_columns"])
                tables.append(_table(table.name, list(table.columns.keys()), rows, key))
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise typer.BadParameter(f"{url.host}:{url.port}/{url.database} cannot be read: {reason}") from None
    finally:
        engine.dispose()
    return tables


def _table(name: str, names: list[str], rows: Iterable[Iterable[Any]], key: tuple[str, ...] = ()) -> SampledTable:
    texts = [[_text(value) for value in row] for row in islice(rows, ROWS)]
    columns = tuple(
        SampledColumn(column, tuple(row[position] if position < len(row) else None for row in texts))
        for position, column in enumerate(names)
    )
    return SampledTable(name, columns, key)


def _text(value: Any) -> str | None:
    if value is None or value != value:  # NaN
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value)
    return text if text.strip() else None


def _delimited(file: Path) -> Sample:
    raw = file.read_bytes() if file.suffix != ".gz" else gzip.decompress(file.read_bytes())
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")
    head = "".join(text[:65_536].splitlines(keepends=True)[:50])
    delimiter = max(",;\t|", key=head.count)
    lines = list(islice(csv.reader(text.splitlines(keepends=True), delimiter=delimiter), ROWS + 1))
    return (lines[0], lines[1:]) if lines else ([], [])


def _workbook(file: Path) -> Sample:
    from openpyxl import load_workbook

    book = load_workbook(file, read_only=True, data_only=True)
    try:
        lines = list(book.worksheets[0].iter_rows(max_row=ROWS + 1, values_only=True))
    finally:
        book.close()
    return ([str(name) for name in lines[0] if name is not None], lines[1:]) if lines else ([], [])


def _parquet(file: Path) -> Sample:
    import polars as pl

    frame = pl.scan_parquet(file).head(ROWS).collect()
    return frame.columns, frame.rows()


def _layer(file: Path) -> Sample:
    """A Shapefile's or GeoPackage's attributes, and the columns that a sync makes of its shapes."""
    from pyogrio.raw import read

    path = f"/vsizip/{file}" if file.suffix == ".zip" else str(file)
    meta, _, _, fields = read(path, max_features=ROWS, read_geometry=False)
    names = [str(name) for name in meta["fields"]]
    rows = list(zip(*(column.tolist() for column in fields), strict=True))
    # a sync brings shapes to degrees, whatever they are in: any point of the earth stands for what it will read
    return [*names, *_SHAPE_COLUMNS], [(*row, "shape", "0.0", "0.0") for row in rows]
