"""Many rows at once: by COPY, which row-level security filters as it does a SELECT."""

import csv
from io import BytesIO, TextIOWrapper

from sqlalchemy import Connection


def copied_rows(connection: Connection, query: str) -> list[tuple[str, ...]]:
    """The rows of a query as texts, "" for NULL. COPY takes no parameters: write values as literals."""
    stream = BytesIO()
    connection.connection.cursor().execute(f"COPY ({query}) TO STDOUT (FORMAT csv)", stream=stream)  # type: ignore[call-arg]  # pg8000's own
    stream.seek(0)
    return [tuple(row) for row in csv.reader(TextIOWrapper(stream, encoding="utf-8", newline=""))]


def ordinal(column: str) -> str:
    """SQL of a date column as Python's proleptic ordinal."""
    return f"({column} - DATE '0001-01-01' + 1)"
