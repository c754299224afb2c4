"""Dialects: the differences of each database from the portable SQL of `statements`."""
# ruff: noqa: S608 - types come from the source's catalog, names are quoted identifiers

from __future__ import annotations

import ssl
from collections.abc import Callable
from functools import cache
from socket import socket
from tempfile import NamedTemporaryFile
from typing import Any, ClassVar

from pg8000.native import literal
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

from shared.db.driver import ClosingConnection
from shared.problems import SourceRefused
from shared.sources.network import Timeouts
from shared.sources.secrets import ConnectionSecret

Parameters = dict[str, str | int]
Writer = Callable[[Any], Any]

STATEMENT_TIMEOUT_SHARE = 0.9
"""Share of the silence timeout after which the server ends a statement itself, so that it is not left running. A
choice: a tenth is more than a network's delay."""


class Dialect:
    """The portable dialect, which SQLite understands too; other databases override what differs."""

    title: ClassVar[str] = "this database"
    driver: ClassVar[str] = ""
    default_port: ClassVar[int] = 0
    compares_rows: ClassVar[bool] = False
    """True where a row comparison, (a, b) > (x, y), uses an index."""
    copies: ClassVar[bool] = False
    """True where rows are read by COPY, which takes no parameters."""

    def arguments(self, url: URL, authority: str | None, timeouts: Timeouts) -> dict[str, Any]:  # noqa: ARG002
        """Arguments of the driver's connect beside the address. `authority` (PEM) verifies the server's certificate in
        place of the system's authorities. No parameter of the URL's query reaches the driver.
        """
        return {}

    def connect(self, opened: socket, parameters: dict[str, Any], silence: float) -> Any:
        """The driver's connection on an open socket, with a timeout of `silence` seconds for each answer."""
        raise NotImplementedError

    def begin(self, connection: Connection, timezone: str, seconds: float) -> None:
        """Begin a read-only transaction with one snapshot, where the database can; set the format of values and the
        timeout of statements, which would otherwise depend on the server's settings.
        """

    def converter(self, column: tuple[Any, ...]) -> Writer | None:  # noqa: ARG002
        """A converter of a column (of the cursor's description), where the driver's own does not do."""
        return None

    def limit(self, rows: int) -> tuple[str, str]:
        """The limit clauses of a query: after SELECT, and at its end."""
        return "", f" LIMIT {rows}"

    def types(self, connection: Connection, statement: str, codes: list[Any]) -> list[str]:  # noqa: ARG002
        """The types of a statement's columns, as the database calls them."""
        return ["unknown" if code is None else str(code) for code in codes]

    def value(self, value: str | int, type_: str, parameters: Parameters) -> str:  # noqa: ARG002
        """SQL of a value for comparison with a column of a type; what it binds is added to `parameters`."""
        name = f"value_{len(parameters)}"
        parameters[name] = value
        return f":{name}"

    def as_text(self, value: str, type_: str) -> str:  # noqa: ARG002
        """SQL of a column as text that `value` accepts."""
        return f"CAST({value} AS CHAR(64))"

    def highest(self, column: str, type_: str) -> str:
        """SQL of the maximum of a column up to which every row is committed, as text."""
        return self.as_text(f"max({column})", type_)


class PostgreSql(Dialect):
    title = "PostgreSQL"
    driver = "postgresql+pg8000"
    default_port = 5432
    compares_rows = True
    copies = True

    def arguments(self, url: URL, authority: str | None, timeouts: Timeouts) -> dict[str, Any]:  # noqa: ARG002
        # False, because None would make a context (40 ms) and ask the server
        context = False if url.query.get("sslmode") == "disable" else tls(authority)
        return {"application_name": "terrafusion-sync", "ssl_context": context}

    def connect(self, opened: socket, parameters: dict[str, Any], silence: float) -> Any:
        driver_connection = ClosingConnection(**parameters, sock=opened)
        driver_connection._usock.settimeout(silence)  # pg8000 has one timeout for the sign-in and all that follows
        return driver_connection

    def begin(self, connection: Connection, timezone: str, seconds: float) -> None:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        settings = {**_POSTGRESQL_OUTPUT_SETTINGS, "TimeZone": timezone, "statement_timeout": str(int(seconds * 1000))}
        chosen = ", ".join(f"set_config({literal(name)}, {literal(to)}, true)" for name, to in settings.items())
        connection.exec_driver_sql(f"SELECT {chosen}")

    def types(self, connection: Connection, statement: str, codes: list[Any]) -> list[str]:  # noqa: ARG002
        numbers = ", ".join(str(int(code)) for code in codes)
        query = (
            f"SELECT format_type(o, NULL) FROM unnest(ARRAY[{numbers}]::oid[]) WITH ORDINALITY AS u (o, n) ORDER BY n"
        )
        return [str(name) for name in connection.exec_driver_sql(query).scalars()]

    def value(self, value: str | int, type_: str, parameters: Parameters) -> str:  # noqa: ARG002
        return f"CAST({literal(str(value))} AS {type_})"

    def as_text(self, value: str, type_: str) -> str:  # noqa: ARG002
        return f"CAST({value} AS text)"


class MySql(Dialect):
    """MySQL and MariaDB."""

    title = "MySQL"
    driver = "mysql+pymysql"
    default_port = 3306

    def arguments(self, url: URL, authority: str | None, timeouts: Timeouts) -> dict[str, Any]:
        # of the session, because the server's own zone and modes would decide over texts
        arguments: dict[str, Any] = {
            "read_timeout": timeouts.connect_seconds,
            "write_timeout": timeouts.connect_seconds,
            "charset": "utf8mb4",
            "init_command": "SET time_zone = '+00:00',"
            " sql_mode = REPLACE(REPLACE(@@sql_mode, 'PAD_CHAR_TO_FULL_LENGTH', ''), 'TIME_TRUNCATE_FRACTIONAL', '')",
        }
        if url.query.get("sslmode") != "disable":
            arguments["ssl"] = tls(authority)
        return arguments

    def connect(self, opened: socket, parameters: dict[str, Any], silence: float) -> Any:
        import pymysql

        driver_connection: Any = pymysql.connect(**parameters, defer_connect=True)
        driver_connection.connect(opened)
        driver_connection._read_timeout = silence  # until here the timeout of the sign-in
        return driver_connection

    def begin(self, connection: Connection, timezone: str, seconds: float) -> None:  # noqa: ARG002
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        limit = f"max_statement_time = {seconds:.3f}"
        driver: Any = connection.connection.dbapi_connection
        if "MariaDB" not in driver.get_server_info():
            limit = f"max_execution_time = {int(seconds * 1000)}"
        connection.exec_driver_sql(f"SET SESSION {limit}")

    def types(self, connection: Connection, statement: str, codes: list[Any]) -> list[str]:  # noqa: ARG002
        return [_mysql_types().get(code, str(code)) for code in codes]

    def converter(self, column: tuple[Any, ...]) -> Writer | None:
        if _mysql_types().get(column[1]) != "bit":
            return None
        return _boolean if column[3] == 1 else _unsigned

    def value(self, value: str | int, type_: str, parameters: Parameters) -> str:
        bound = super().value(value, type_, parameters)
        return f"CAST({bound} AS DATETIME(6))" if type_ in {"datetime", "timestamp"} else bound


class SqlServer(Dialect):
    title = "SQL Server"
    driver = "mssql+pytds"
    default_port = 1433

    def arguments(self, url: URL, authority: str | None, timeouts: Timeouts) -> dict[str, Any]:
        arguments: dict[str, Any] = {
            "login_timeout": timeouts.connect_seconds,
            "disable_connect_retry": True,  # the state machine tries again, and later
            "appname": "terrafusion-sync",
            "readonly": True,  # a readable secondary of an availability group may answer
        }
        if url.query.get("sslmode") != "disable":
            arguments["cafile"] = _ca_file(authority)
        return arguments

    def connect(self, opened: socket, parameters: dict[str, Any], silence: float) -> Any:
        import pytds

        return pytds.connect(**parameters, sock=opened, timeout=silence)

    def begin(self, connection: Connection, timezone: str, seconds: float) -> None:  # noqa: ARG002
        connection.exec_driver_sql(
            f"SET LANGUAGE us_english; SET DATEFORMAT ymd; SET TEXTSIZE -1; SET LOCK_TIMEOUT {int(seconds * 1000)}"
        )

    def limit(self, rows: int) -> tuple[str, str]:
        return f"TOP ({rows}) ", ""

    def types(self, connection: Connection, statement: str, codes: list[Any]) -> list[str]:  # noqa: ARG002
        query = text(
            "SELECT system_type_name FROM sys.dm_exec_describe_first_result_set(:statement, NULL, 0)"
            " WHERE is_hidden = 0 ORDER BY column_ordinal"
        )
        types = connection.execute(query, {"statement": statement}).scalars()
        return ["unknown" if name is None else str(name) for name in types]

    def value(self, value: str | int, type_: str, parameters: Parameters) -> str:
        bound = super().value(value, type_, parameters)
        if is_row_version(type_):
            return f"CAST(CAST({bound} AS bigint) AS binary(8))"
        if type_.startswith(("datetime", "smalldatetime")):
            # a text with more than three decimals is no `datetime`, and is compared exactly as a datetime2
            return f"CAST({bound} AS {'datetimeoffset' if type_.startswith('datetimeoffset') else 'datetime2'})"
        return f"CAST({bound} AS {type_})" if isinstance(value, str) and type_ != "unknown" else bound

    def as_text(self, value: str, type_: str) -> str:
        if type_.startswith(("date", "smalldatetime")):
            return f"CONVERT(varchar(40), {value}, 126)"
        return f"CONVERT(nvarchar(64), {value})"

    def highest(self, column: str, type_: str) -> str:
        if is_row_version(type_):  # a lower one may belong to a transaction that is still open
            committed = f"CONVERT(varchar(20), CAST({_MIN_ACTIVE_ROW_VERSION} AS bigint) - 1)"
            return f"CASE WHEN max({column}) IS NOT NULL THEN {committed} END"
        return super().highest(column, type_)


_POSTGRESQL_OUTPUT_SETTINGS = {
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "lc_monetary": "C",
    "extra_float_digits": "1",
    "xmlbinary": "base64",
}
"""Settings that decide how PostgreSQL formats values, at their defaults; the time zone is the county's."""
_MIN_ACTIVE_ROW_VERSION = "MIN_ACTIVE_ROWVERSION()"

_DIALECTS: dict[str, type[Dialect]] = {
    "postgresql": PostgreSql,
    "mysql": MySql,
    "mariadb": MySql,
    "mssql": SqlServer,
    "sqlserver": SqlServer,
}


def source_url(secret: ConnectionSecret) -> URL:
    """The URL that a secret describes. Raises SourceRefused for an unsupported dialect."""
    dialect = _DIALECTS.get(secret.dialect)
    if dialect is None:
        supported = ", ".join(sorted(_DIALECTS))
        raise SourceRefused(
            f"Sources of the dialect {secret.dialect} are not supported; there are: {supported}.",
            slug="source-not-supported",
        )
    if "\\" in secret.host:
        raise SourceRefused(
            "The source's host names an instance (server\\instance); give the server alone, and the instance's port.",
            slug="source-secret-invalid",
        )
    query = {"sslmode": secret.sslmode} if secret.sslmode else {}
    port = secret.port or dialect.default_port
    return URL.create(dialect.driver, secret.username, secret.password, secret.host, port, secret.dbname, query=query)


def dialect_of(url: URL) -> Dialect:
    """The dialect of a URL."""
    return _DIALECTS.get(url.get_backend_name(), Dialect)()


def is_row_version(type_: str) -> bool:
    """True for SQL Server's type of row versions, which it also calls timestamp."""
    return type_ in {"timestamp", "rowversion"}


@cache
def tls(authority: str | None) -> ssl.SSLContext:
    """A TLS context that verifies the server, created once per authority. Raises SourceRefused for an invalid
    certificate.
    """
    try:
        return ssl.create_default_context(cadata=authority)
    except (ssl.SSLError, ValueError):
        raise SourceRefused(
            "The ca_certificate of the source's secret is no certificate (PEM).", slug="source-secret-invalid"
        ) from None


@cache
def _ca_file(authority: str | None) -> str:
    """The path of a file of CA certificates, without which python-tds would not encrypt. Raises SourceRefused."""
    if authority is None:
        file = ssl.get_default_verify_paths().cafile
        if file is None:
            raise SourceRefused("This machine has no certificates to verify a server by; put ca_certificate into"
                                    " the source's secret.", slug="source-secret-invalid")  # fmt: skip
        return file
    tls(authority)
    with NamedTemporaryFile("w", prefix="terrafusion-authority-", suffix=".pem", delete=False) as written:
        written.write(authority)
    return written.name


@cache
def _mysql_types() -> dict[int, str]:
    from pymysql.constants import FIELD_TYPE

    # two codes have a second name, of what they were before MySQL 5
    names = {name: code for name, code in vars(FIELD_TYPE).items() if isinstance(code, int)}
    return {code: name.lower() for name, code in names.items() if name not in {"CHAR", "INTERVAL"}}


def _boolean(value: bytes | None) -> bool | None:
    return None if value is None else any(value)


def _unsigned(value: bytes | None) -> int | None:
    return None if value is None else int.from_bytes(value, "big")
