"""Staging: one unlogged table a run and target, holding only the rows that differ. It comes and goes with the run."""
# ruff: noqa: S608 - names are quoted identifiers of models or mappings; values are literals or parameters

import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pg8000.native import identifier
from sqlalchemy import Connection, text

from shared.db.copying import copy_out, copy_out_in_parts

if TYPE_CHECKING:
    import polars as pl

_CHUNK = 256 * 1024
REMOVE = "D"
"""The action of a row that Reconcile stages, not a partition."""


def table_name(run_id: UUID, target: str) -> str:
    """The staging table of a run and target, as SQL names it."""
    return f"staging.{identifier(f'r{run_id.hex}_{target}')}"


def create(connection: Connection, run_id: UUID, target: str, columns: Sequence[str]) -> None:
    """Make the table with the types of the target's columns, where it is not there.

    `action` is A (add), U (change), R (return) or D (remove); `base_version` is the target's version that was compared
    with. A row without an action has been set aside: its key was read twice, or it breaks a rule across rows.
    """
    names = ", ".join(identifier(name) for name in (*columns, "row_hash"))
    connection.exec_driver_sql(
        f"CREATE UNLOGGED TABLE IF NOT EXISTS {table_name(run_id, target)} AS"
        f" SELECT NULL::integer AS partition_no, NULL::text AS action, NULL::integer AS base_version, {names}"
        f" FROM {identifier(target)} WITH NO DATA"
    )


def index(connection: Connection, run_id: UUID, target: str, key: str) -> None:
    """Let ranges of keys be read without reading the whole table for each."""
    name = identifier(f"r{run_id.hex}_{target}_key")
    connection.exec_driver_sql(f"CREATE INDEX IF NOT EXISTS {name} ON {table_name(run_id, target)} ({identifier(key)})")


def exists(connection: Connection, run_id: UUID, target: str) -> bool:
    """Whether the table is there."""
    return connection.scalar(text("SELECT to_regclass(:name)"), {"name": table_name(run_id, target)}) is not None


def count(connection: Connection, run_id: UUID, target: str) -> dict[str | None, int]:
    """How many rows there are by action, those set aside under None."""
    rows = connection.exec_driver_sql(f"SELECT action, count(*) FROM {table_name(run_id, target)} GROUP BY action")
    return {action: int(number) for action, number in rows}


def count_read(connection: Connection, run_id: UUID, target: str) -> int:
    """How many rows the partitions staged."""
    return sum(number for action, number in count(connection, run_id, target).items() if action != REMOVE)


def drop(connection: Connection, run_id: UUID) -> None:
    """Remove every staging table of a run."""
    found = connection.scalars(
        text(
            "SELECT relname FROM pg_class WHERE relnamespace = 'staging'::regnamespace AND relkind = 'r'"
            " AND relname LIKE :pattern"
        ),
        {"pattern": f"r{run_id.hex}\\_%"},
    ).all()
    for name in found:
        connection.exec_driver_sql(f"DROP TABLE staging.{identifier(name)}")


def fill(connection: Connection, run_id: UUID, target: str, rows: "pl.DataFrame") -> None:
    """COPY rows of texts; the frame's columns are columns of the table."""
    if rows.is_empty():
        return
    columns = ", ".join(identifier(name) for name in rows.columns)
    copy(connection, f"COPY {table_name(run_id, target)} ({columns}) FROM STDIN (FORMAT csv)", rows)


def copy(connection: Connection, statement: str, rows: "pl.DataFrame") -> None:
    """Send a frame to a COPY ... FROM STDIN (FORMAT csv)."""
    buffer = io.BytesIO()
    rows.write_csv(buffer, include_header=False)
    buffer.seek(0)
    driver: Any = connection.connection.dbapi_connection
    driver.execute_unnamed(statement, stream=_chunks(buffer))


def copied(connection: Connection, query: str) -> "pl.DataFrame":
    """The rows of a query by COPY ... TO STDOUT, every column as String."""
    import polars as pl

    rows, _ = copy_out(connection.connection.dbapi_connection, f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)")
    return pl.read_csv(rows, infer_schema=False)


def copied_keys(connection: Connection, query: str) -> "pl.DataFrame":
    """The rows of a query for `key` (text) and `version`, however many: as they come, not as one text."""
    import polars as pl

    schema = {"key": pl.String, "version": pl.Int32}
    parts = copy_out_in_parts(connection.connection.dbapi_connection, f"COPY ({query}) TO STDOUT (FORMAT csv)")
    frames = [pl.read_csv(part, has_header=False, schema=schema) for part in parts if part]
    return pl.concat(frames) if frames else pl.DataFrame(schema=schema)


def _chunks(buffer: io.BytesIO) -> Iterator[bytes]:
    while chunk := buffer.read(_CHUNK):
        yield chunk
