"""SQL databases as sources, through SQLAlchemy; PostgreSQL by COPY."""
# ruff: noqa: S608 - names are quoted identifiers of models or mappings; values are literals or parameters

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from pg8000.native import literal
from sqlalchemy import Connection, Engine, Row, TextClause, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from functions.sync.sources.secret import ConnectionSecret
from functions.sync.sources.source import Extract, Key, KeyRange, Shape, SourceTable
from shared.db.copying import copy_out
from shared.problems import SourceUnavailable

if TYPE_CHECKING:
    import polars as pl

_DRIVERS = {"postgresql": "postgresql+pg8000", "sqlite": "sqlite"}
_FETCH_ROWS = 5_000
CONNECT_SECONDS = 15


def source_url(secret: ConnectionSecret) -> URL:
    """The address that a secret describes. Raises SourceUnavailable for a dialect that is not supported."""
    driver = _DRIVERS.get(secret.dialect)
    if driver is None:
        known = ", ".join(sorted(_DRIVERS))
        raise SourceUnavailable(
            f"Sources of the dialect {secret.dialect} are not supported; there are: {known}.",
            slug="source-not-supported",
        )
    query = {"sslmode": secret.sslmode} if secret.sslmode else {}
    return URL.create(driver, secret.username, secret.password, secret.host, secret.port, secret.dbname, query=query)


class SqlSource:
    """A SQL database. Nothing is ever written to it: PostgreSQL's transactions are READ ONLY."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._engine = _engine(url)
        self._copies = self._engine.dialect.name == "postgresql"

    def shape(self, table: SourceTable) -> Shape:
        with self._connection("the shape of") as connection:
            statement = f"SELECT * FROM {self._from(table)} WHERE 1 = 0"
            result = connection.execute(_verbatim(statement))
            description = result.cursor.description if result.cursor else []
            types = self._types(connection, [column[1] for column in description])
            return Shape({column[0]: type_ for column, type_ in zip(description, types, strict=True)})

    def count(self, table: SourceTable) -> int:
        with self._connection("the rows of") as connection:
            statement = _verbatim(f"SELECT count(*) FROM {self._from(table)}")
            return int(connection.execute(statement).scalar_one())

    def cut(self, table: SourceTable, rows: int) -> tuple[int, list[Key]]:
        key = ", ".join(self._quoted(table.key))
        numbered = (
            f"SELECT {key}, row_number() OVER (ORDER BY {key}) AS row_no, count(*) OVER () AS row_count"
            f" FROM {self._from(table)}"
        )
        every = int(rows)
        statement = _verbatim(
            f"SELECT * FROM ({numbered}) AS numbered"
            f" WHERE row_no - (row_no / {every}) * {every} = 0 OR row_no = row_count ORDER BY row_no"
        )
        with self._connection("the keys of") as connection:
            found = connection.execute(statement).all()
        total = int(found[-1][-1]) if found else 0
        ends = [_key(row, len(table.key)) for row in found if row[-2] != total]
        return total, [end for end in ends if None not in end]

    def read(self, table: SourceTable, shape: Shape, keys: KeyRange) -> Extract:
        order = ", ".join(self._quoted(table.key))
        with self._connection("the rows of") as connection:
            if self._copies:
                where = _copy_condition(self._quoted(table.key), [shape.columns[k] for k in table.key], keys)
                return _copy(connection, f"SELECT * FROM {self._from(table)}{where} ORDER BY {order}")
            condition, bound = _portable_condition(self._quoted(table.key), keys)
            statement = f"SELECT * FROM {self._from(table)}{condition} ORDER BY {order}"
            return _fetch(connection, _verbatim(statement, bound), list(shape.columns))

    def close(self) -> None:
        self._engine.dispose()

    def _from(self, table: SourceTable) -> str:
        if table.query is not None:
            return f"({table.query.rstrip()}\n) AS source"
        parts = (table.table_name or "").split(".")
        return f"{'.'.join(self._quoted(parts))} AS source"

    def _quoted(self, names: Sequence[str]) -> list[str]:
        quote = self._engine.dialect.identifier_preparer.quote_identifier
        return [quote(name) for name in names]

    def _types(self, connection: Connection, codes: list[Any]) -> list[str]:
        if not self._copies:
            return ["unknown" if code is None else str(code) for code in codes]
        numbers = ", ".join(str(int(code)) for code in codes)
        statement = (
            f"SELECT format_type(o, NULL) FROM unnest(ARRAY[{numbers}]::oid[]) WITH ORDINALITY AS u (o, n) ORDER BY n"
        )
        return [str(name) for name in connection.execute(_verbatim(statement)).scalars()]

    @contextmanager
    def _connection(self, what: str) -> Iterator[Connection]:
        """A read-only transaction in which all statements see the same rows."""
        try:
            with self._engine.connect() as connection:
                if self._copies:
                    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                yield connection
        except SourceUnavailable:
            raise
        except Exception as error:
            if not _is_of_driver(error):
                raise
            place = f"{self._url.host}:{self._url.port}/{self._url.database}" if self._url.host else "the database"
            raise SourceUnavailable(f"{place}: {what} the source cannot be read: {_reason(error)}.") from None


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "postgresql":
        return create_engine(url, poolclass=NullPool)
    arguments: dict[str, Any] = {"timeout": None, "application_name": "terrafusion-sync"}
    # False, because None would make a context (40 ms) and ask the server
    arguments["ssl_context"] = False if url.query.get("sslmode") == "disable" else _tls()
    return create_engine(url.set(query={}), poolclass=NullPool, connect_args=arguments)


@cache
def _tls() -> ssl.SSLContext:
    """Made once a process; the server's certificate is verified."""
    return ssl.create_default_context()


def _is_of_driver(error: Exception) -> bool:
    from pg8000.exceptions import Error as DriverError

    return isinstance(error, (SQLAlchemyError, DriverError, OSError))


def _reason(error: Exception) -> str:
    """What the server or the network said, without the statement and without anything of the secret."""
    cause = getattr(error, "orig", None) or error
    network = cause if isinstance(cause, OSError) else cause.__cause__
    if isinstance(network, OSError):  # drivers wrap it in words about themselves
        return (network.strerror or type(network).__name__).lower()
    said = cause.args[0] if cause.args else type(cause).__name__
    if isinstance(said, dict):  # PostgreSQL's error fields
        return f"{said.get('M', 'refused')} ({said.get('C', '')})"
    return str(said).splitlines()[0][:200]


def _verbatim(statement: str, bound: dict[str, Any] | None = None) -> TextClause:
    """SQL as it is: a colon in it is no parameter, but for those in `bound`."""
    names = bound or {}
    escaped = statement.replace(":", "\\:")
    for name in names:
        escaped = escaped.replace(f"\\:{name}", f":{name}")
    return text(escaped).bindparams(**names)


def _key(row: Row[Any], parts: int) -> Key:
    return [part if isinstance(part, int) else str(part) if part is not None else None for part in row[:parts]]  # type: ignore[misc]


def _copy_condition(names: list[str], types: list[str], keys: KeyRange) -> str:
    """Row-wise comparison, which PostgreSQL answers from an index; the keys' values as literals of their types."""
    left = f"({', '.join(names)})" if len(names) > 1 else names[0]

    def bound(key: Key) -> str:
        values = [f"CAST({literal(str(part))} AS {type_})" for part, type_ in zip(key, types, strict=True)]
        return f"({', '.join(values)})" if len(values) > 1 else values[0]

    conditions = []
    absent = " OR ".join(f"{name} IS NULL" for name in names)
    if keys.upper is not None:
        within = f"{left} <= {bound(keys.upper)}"
        conditions.append(within if keys.lower is not None else f"({within} OR {absent})")
    if keys.lower is not None:
        conditions.append(f"{left} > {bound(keys.lower)}")
        conditions += [f"{name} IS NOT NULL" for name in names]
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _portable_condition(names: list[str], keys: KeyRange) -> tuple[str, dict[str, Any]]:
    """The same for databases that do not compare rows: a > x OR (a = x AND b > y)."""
    bound: dict[str, Any] = {}

    def compare(key: Key, strict_operator: str, last_operator: str, prefix: str) -> str:
        bound.update({f"{prefix}{index}": part for index, part in enumerate(key)})
        choices = []
        for index, name in enumerate(names):
            equal = [f"{names[before]} = :{prefix}{before}" for before in range(index)]
            operator = last_operator if index == len(names) - 1 else strict_operator
            choices.append(" AND ".join([*equal, f"{name} {operator} :{prefix}{index}"]))
        return "(" + " OR ".join(f"({choice})" for choice in choices) + ")"

    conditions = []
    if keys.upper is not None:
        within = compare(keys.upper, "<", "<=", "upper_key_")
        absent = " OR ".join(f"{name} IS NULL" for name in names)
        conditions.append(within if keys.lower is not None else f"({within} OR {absent})")
    if keys.lower is not None:
        conditions.append(compare(keys.lower, ">", ">", "lower_key_"))
        conditions += [f"{name} IS NOT NULL" for name in names]
    return (f" WHERE {' AND '.join(conditions)}" if conditions else ""), bound


def _copy(connection: Connection, query: str) -> Extract:
    """COPY's text is the digest's: it changes exactly when a value does."""
    copied, rows = copy_out(connection.connection.dbapi_connection, f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)")
    digest = hashlib.sha256(copied).hexdigest()

    def frame() -> pl.DataFrame:
        import polars as pl

        return pl.read_csv(copied, infer_schema=False)

    return Extract(rows, digest, frame)


def _fetch(connection: Connection, statement: TextClause, columns: list[str]) -> Extract:
    import polars as pl

    parts = []
    result = connection.execution_options(stream_results=True).execute(statement)
    for rows in result.partitions(_FETCH_ROWS):
        texts = [[_text(value) for value in column] for column in zip(*rows, strict=True)]
        parts.append(pl.DataFrame(texts, schema=dict.fromkeys(columns, pl.String), orient="col"))
    whole = pl.concat(parts) if parts else pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
    digest = hashlib.sha256(whole.write_csv(quote_style="necessary").encode()).hexdigest()
    return Extract(whole.height, digest, lambda: whole)


_WRITERS: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (str, lambda value: value.replace("\x00", "")),
    (bool, lambda value: "true" if value else "false"),
    (Decimal, lambda value: format(value, "f")),
    (datetime, lambda value: value.isoformat(" ")),
    (date, date.isoformat),
    (time, time.isoformat),
    (bytes, bytes.hex),
)


def _text(value: object) -> str | None:
    """A driver's value as the text that mappings read."""
    if value is None:
        return None
    for type_, write in _WRITERS:
        if isinstance(value, type_):
            return write(value)
    return repr(value) if isinstance(value, float) else str(value)
