"""Staging: one unlogged table per run and target with the rows that differ, dropped at the end of the run.

Row-level security shows a table's rows to its county alone. COPY FROM is refused under row-level security, so the
tables belong to a role that may load them and nothing else, which the application assumes while it loads.
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

_CHUNK_BYTES = 256 * 1024
"""Bytes handed to the driver at a time. A choice; the socket takes less at once."""
REMOVE = "D"
"""Action of the rows that Reconcile stages; partitions stage the others."""


def table_name(run_id: UUID, target: str) -> str:
    """The staging table of a run and target, as SQL names it."""
    return f"staging.{identifier(f'r{run_id.hex}_{target}')}"


@contextmanager
def _loading(connection: Connection) -> Iterator[None]:
    """Assume the role that owns the tables. If the block fails, the transaction ends, and with it the role."""
    connection.exec_driver_sql(f"SET LOCAL ROLE {STAGING_ROLE}")
    yield
    connection.exec_driver_sql("RESET ROLE")


def create(connection: Connection, county_id: str, run_id: UUID, target: str, columns: Sequence[str]) -> None:
    """Create the county's table with the types of the target's columns, unless it exists.

    `action`: A (add), U (update), R (return) or D (remove), or NULL for an excluded row, whose key was read twice or
    which breaks a rule of the whole table. `base_version`: the version of the target row that was compared. `held`: the
    source's values of fields for which the row has a decided value instead.
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


def create_key_index(connection: Connection, run_id: UUID, target: str, key: str) -> None:
    """Index the table by its key, for reading key ranges."""
    name = identifier(f"r{run_id.hex}_{target}_key")
    with _loading(connection):
        connection.exec_driver_sql(
            f"CREATE INDEX IF NOT EXISTS {name} ON {table_name(run_id, target)} ({identifier(key)})"
        )


def exists(connection: Connection, run_id: UUID, target: str) -> bool:
    """True where the table exists."""
    return connection.scalar(text("SELECT to_regclass(:name)"), {"name": table_name(run_id, target)}) is not None


def count(connection: Connection, run_id: UUID, target: str) -> dict[str | None, int]:
    """The number of rows by action; None for excluded rows."""
    rows = connection.exec_driver_sql(f"SELECT action, count(*) FROM {table_name(run_id, target)} GROUP BY action")
    return {action: int(number) for action, number in rows}


def count_read(connection: Connection, run_id: UUID, target: str) -> int:
    """The number of rows that partitions have staged."""
    return sum(number for action, number in count(connection, run_id, target).items() if action != REMOVE)


def drop(connection: Connection, run_id: UUID) -> None:
    """Drop every staging table of a run. The application owns those of runs from before the loading role existed."""
    tables = connection.execute(
        text(
            "SELECT relname, pg_get_userbyid(relowner) = current_user AS ours FROM pg_class"
            " WHERE relnamespace = 'staging'::regnamespace AND relkind = 'r' AND relname LIKE :pattern"
        ),
        {"pattern": f"r{run_id.hex}\\_%"},
    ).all()
    for table in tables:
        with nullcontext() if table.ours else _loading(connection):
            connection.exec_driver_sql(f"DROP TABLE staging.{identifier(table.relname)}")


def load(connection: Connection, run_id: UUID, target: str, rows: "pl.DataFrame") -> None:
    """COPY rows of text into the staging table; the frame's columns are columns of the table."""
    if rows.is_empty():
        return
    with _loading(connection):
        copy_in(connection, _copy_from(table_name(run_id, target), rows), rows)


def load_rows(
    connection: Connection, run_id: UUID, target: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """COPY rows of text into columns of the staging table."""
    import polars as pl

    load(connection, run_id, target, pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row"))


def load_temporary(connection: Connection, run_id: UUID, target: str, name: str, rows: "pl.DataFrame") -> None:
    """COPY rows into a temporary table of the same columns, created and analyzed for this transaction."""
    connection.exec_driver_sql(f"CREATE TEMP TABLE {name} (LIKE {table_name(run_id, target)}) ON COMMIT DROP")
    copy_in(connection, _copy_from(name, rows), rows)
    connection.exec_driver_sql(f"ANALYZE {name}")


def _copy_from(table: str, rows: "pl.DataFrame") -> str:
    return f"COPY {table} ({', '.join(identifier(name) for name in rows.columns)}) FROM STDIN (FORMAT csv)"


def copy_in(connection: Connection, statement: str, rows: "pl.DataFrame") -> None:
    """Send a frame to a COPY ... FROM STDIN (FORMAT csv)."""
    buffer = io.BytesIO()
    rows.write_csv(buffer, include_header=False)
    buffer.seek(0)
    driver: Any = connection.connection.dbapi_connection
    driver.execute_unnamed(statement, stream=_chunks(buffer))


def query_frame(connection: Connection, query: str) -> "pl.DataFrame":
    """The result of a query by COPY ... TO STDOUT, every column as String."""
    import polars as pl

    rows, _ = copy_out(connection.connection.dbapi_connection, f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)")
    return pl.read_csv(rows, infer_schema=False)


def query_keys(connection: Connection, query: str) -> "pl.DataFrame":
    """The result of a query for `key` (text) and `version`, parsed block by block, since it may be of any size."""
    import polars as pl

    schema = {"key": pl.String, "version": pl.Int32}
    parts = copy_out_in_parts(connection.connection.dbapi_connection, f"COPY ({query}) TO STDOUT (FORMAT csv)")
    frames = [pl.read_csv(part, has_header=False, schema=schema) for part in parts if part]
    return pl.concat(frames) if frames else pl.DataFrame(schema=schema)


def _chunks(buffer: io.BytesIO) -> Iterator[bytes]:
    while chunk := buffer.read(_CHUNK_BYTES):
        yield chunk
