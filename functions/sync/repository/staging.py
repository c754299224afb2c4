"""Staging: one unlogged table a run and target, holding only the rows that differ. It comes and goes with the run.

A table shows its rows to its own county only. COPY does not go into a table under row-level security, so the tables
belong to a role that may load them and nothing else: the application takes it for as long as it loads.
"""
# ruff: noqa: S608 - names are quoted identifiers of models or mappings; values are literals or parameters

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pg8000.native import identifier, literal
from sqlalchemy import Connection, text

from shared.db.copying import copy_out, copy_out_in_parts
from shared.db.roles import APPLICATION_ROLE, STAGING_ROLE

if TYPE_CHECKING:
    import polars as pl

_CHUNK = 256 * 1024
REMOVE = "D"
"""The action of a row that Reconcile stages, not a partition."""


def table_name(run_id: UUID, target: str) -> str:
    """The staging table of a run and target, as SQL names it."""
    return f"staging.{identifier(f'r{run_id.hex}_{target}')}"


@contextmanager
def _loading(connection: Connection) -> Iterator[None]:
    """The role that owns the tables. Where the block fails, so does the transaction, and the role ends with it."""
    connection.exec_driver_sql(f"SET LOCAL ROLE {STAGING_ROLE}")
    yield
    connection.exec_driver_sql("RESET ROLE")


def create(connection: Connection, county_id: str, run_id: UUID, target: str, columns: Sequence[str]) -> None:
    """Make the county's table with the types of the target's columns, where it is not there.

    `action` is A (add), U (change), R (return) or D (remove); `base_version` is the target's version that was compared
    with. A row without an action has been set aside: its key was read twice, or it breaks a rule across rows. `held`
    is what the source brought for the fields that have a decided value instead.
    """
    if exists(connection, run_id, target):
        return
    names = ", ".join(identifier(name) for name in (*columns, "row_hash"))
    table, county = table_name(run_id, target), literal(county_id)
    own = f"current_setting('app.county_id', true) = {county}"
    connection.exec_driver_sql(
        f"CREATE UNLOGGED TABLE {table} AS"
        " SELECT NULL::integer AS partition_no, NULL::text AS action, NULL::integer AS base_version,"
        f" NULL::jsonb AS held, {names}"
        f" FROM {identifier(target)} WITH NO DATA;"
        f" ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
        f" CREATE POLICY tenant ON {table} USING ({own}) WITH CHECK ({own});"
        f" CREATE TRIGGER tenant AFTER INSERT ON {table} EXECUTE FUNCTION staging.require_county({county});"
        f" ALTER TABLE {table} OWNER TO {STAGING_ROLE}"
    )
    with _loading(connection):
        connection.exec_driver_sql(
            f"REVOKE ALL ON {table} FROM {STAGING_ROLE}; GRANT INSERT ON {table} TO {STAGING_ROLE};"
            f" GRANT SELECT, UPDATE, DELETE ON {table} TO {APPLICATION_ROLE}"
        )


def index(connection: Connection, run_id: UUID, target: str, key: str) -> None:
    """Let ranges of keys be read without reading the whole table for each."""
    name = identifier(f"r{run_id.hex}_{target}_key")
    with _loading(connection):
        connection.exec_driver_sql(
            f"CREATE INDEX IF NOT EXISTS {name} ON {table_name(run_id, target)} ({identifier(key)})"
        )


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
    """Remove every staging table of a run. Those of runs before the tables had an owner of their own are ours."""
    found = connection.execute(
        text(
            "SELECT relname, pg_get_userbyid(relowner) = current_user AS ours FROM pg_class"
            " WHERE relnamespace = 'staging'::regnamespace AND relkind = 'r' AND relname LIKE :pattern"
        ),
        {"pattern": f"r{run_id.hex}\\_%"},
    ).all()
    for row in found:
        with nullcontext() if row.ours else _loading(connection):
            connection.exec_driver_sql(f"DROP TABLE staging.{identifier(row.relname)}")


def fill(connection: Connection, run_id: UUID, target: str, rows: "pl.DataFrame") -> None:
    """COPY rows of texts; the frame's columns are columns of the table."""
    if rows.is_empty():
        return
    with _loading(connection):
        copy(connection, _copy_from(table_name(run_id, target), rows), rows)


def fill_like(connection: Connection, run_id: UUID, target: str, name: str, rows: "pl.DataFrame") -> None:
    """The same into a temporary table that is like it, made and analysed for this transaction."""
    connection.exec_driver_sql(f"CREATE TEMP TABLE {name} (LIKE {table_name(run_id, target)}) ON COMMIT DROP")
    copy(connection, _copy_from(name, rows), rows)
    connection.exec_driver_sql(f"ANALYZE {name}")


def _copy_from(table: str, rows: "pl.DataFrame") -> str:
    return f"COPY {table} ({', '.join(identifier(name) for name in rows.columns)}) FROM STDIN (FORMAT csv)"


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
