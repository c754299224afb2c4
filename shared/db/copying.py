"""Many rows at once: by COPY, which row-level security filters as it does a SELECT."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

from pg8000.native import identifier
from sqlalchemy import Connection

_CHUNK = 256 * 1024


def copied_rows(connection: Connection, query: str) -> list[tuple[str, ...]]:
    """The rows of a query as texts, "" for NULL. COPY takes no parameters: write values as literals."""
    stream = BytesIO()
    connection.connection.cursor().execute(f"COPY ({query}) TO STDOUT (FORMAT csv)", stream=stream)  # type: ignore[call-arg]  # pg8000's own
    stream.seek(0)
    return [tuple(row) for row in csv.reader(TextIOWrapper(stream, encoding="utf-8", newline=""))]


def copy_rows(connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Send rows to a table of ours that is not under row-level security, a temporary one; None and "" are NULL."""
    names = ", ".join(identifier(name) for name in columns)
    statement = f"COPY {identifier(table)} ({names}) FROM STDIN (FORMAT csv)"
    connection.connection.cursor().execute(statement, stream=_chunks(rows))  # type: ignore[call-arg]  # pg8000's own


def copy_to_file(connection: Connection, query: str, path: Path) -> None:
    """Write the rows of a query to a CSV file with a header. COPY takes no parameters: write values as literals."""
    with path.open("wb") as stream:
        connection.connection.cursor().execute(f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)", stream=stream)  # type: ignore[call-arg]  # pg8000's own


def _chunks(rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    buffer = StringIO()
    writer = csv.writer(buffer)
    for row in rows:
        writer.writerow(row)
        if buffer.tell() > _CHUNK:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def ordinal(column: str) -> str:
    """SQL of a date column as Python's proleptic ordinal."""
    return f"({column} - DATE '0001-01-01' + 1)"
