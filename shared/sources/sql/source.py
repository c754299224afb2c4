"""A SQL database as a source. Nothing is ever written to it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import polars as pl
from sqlalchemy import Connection, CursorResult, text
from sqlalchemy.engine import URL

from shared.contracts.source_rows import Key
from shared.problems import Problem, Unprocessable
from shared.sources.network import Timeouts, run_timeouts
from shared.sources.source import (
    Ability,
    Capabilities,
    ChangedSince,
    Changes,
    Extract,
    KeyRange,
    Sample,
    Since,
    SourceTable,
    TableSchema,
)
from shared.sources.sql import change_tracking
from shared.sources.sql.connections import create_source_engine
from shared.sources.sql.dialects import STATEMENT_TIMEOUT_SHARE, SqlServer, dialect_of
from shared.sources.sql.driver_errors import is_driver_error, to_problem
from shared.sources.sql.rows import copy_extract, fetch_extract, fetch_frames
from shared.sources.sql.statements import Statement, Statements
from shared.sources.text_values import as_text

_KEYS_BATCH_SIZE = 100_000
"""Rows of a frame of keys, as `Source.keys` promises."""
_TEXT_TYPES = re.compile(
    r"(n?(var)?char|character|text|(n|var|medium|tiny|long)*text|(var_)?string|bpchar|name)\b", re.I
)
_SORTS_BY_TIME = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?)?|\d{8}(\d{6})?")


class SqlSource:
    """A SQL database, read in read-only transactions; PostgreSQL by COPY."""

    def __init__(
        self, url: URL, authority: str | None = None, *, timezone: str = "UTC", timeouts: Timeouts | None = None
    ) -> None:
        self._url = url
        self._timezone = timezone
        self._timeouts = timeouts or run_timeouts()
        self._dialect = dialect_of(url)
        self._engine = create_source_engine(url, self._dialect, authority, self._timeouts)

    @property
    def capabilities(self) -> Capabilities:
        if isinstance(self._dialect, SqlServer):
            return Capabilities()
        reason = f"{self._dialect.title} has no change tracking; use a watermark, or the mode snapshot"
        return Capabilities({Ability.CHANGE_TRACKING: reason})

    def schema(self, table: SourceTable) -> TableSchema:
        # rows changed since have the columns of the table, whose types the condition needs
        statement = self._statements(replace(table, since=None)).schema()
        with self._connection("the columns of") as connection:
            result = _run(connection, statement)
            description = result.cursor.description if result.cursor else []
            types = self._dialect.types(connection, statement.sql, [column[1] for column in description])
            return TableSchema({column[0]: type_ for column, type_ in zip(description, types, strict=True)})

    def count(self, table: SourceTable) -> int:
        with self._reading(table, "the rows of") as (connection, statements):
            return int(_run(connection, statements.count()).scalar_one())

    def cut(self, table: SourceTable, rows: int) -> tuple[int, list[Key]]:
        with self._reading(table, "the keys of") as (connection, statements):
            # in a query of its own: a window function that counts all rows would hold them all until the last is read
            total = int(_run(connection, statements.count()).scalar_one())
            numbered_keys = [tuple(row) for row in _run(connection, statements.cut(int(rows)))]
        ends = [_key(row, len(table.key)) for row in numbered_keys if row[-1] < total]
        return total, [end for end in ends if None not in end]

    def read(self, table: SourceTable, schema: TableSchema, keys: KeyRange) -> Extract:
        with self._reading(table, "the rows of", schema) as (connection, statements):
            statement = statements.read(keys)
            if self._dialect.copies:
                return copy_extract(connection, statement.sql, schema.columns)
            return fetch_extract(_run(connection, statement, stream=True), self._dialect)

    def sample(self, table: SourceTable, rows: int) -> Sample:
        types = self.schema(table).columns
        with self._reading(table, "rows of") as (connection, statements):
            statement = statements.sample(int(rows))
            if self._dialect.copies:
                return Sample(copy_extract(connection, statement.sql, types).frame(), types)
            return Sample(fetch_extract(_run(connection, statement), self._dialect).frame(), types)

    def keys(self, table: SourceTable, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        with self._reading(table, "the keys of") as (connection, statements):
            if self._dialect.copies:
                frame = copy_extract(connection, statements.keys(columns).sql, statements.types).frame()
                yield from frame.iter_slices(_KEYS_BATCH_SIZE)
                return
            result = _run(connection, statements.keys(columns), stream=True)
            yield from fetch_frames(result, _KEYS_BATCH_SIZE, self._dialect)

    def watermark(self, table: SourceTable, field: str) -> str | None:
        with self._reading(table, "the watermark of") as (connection, statements):
            if field not in statements.types:
                raise Unprocessable(f"The source has no column {field}.", slug="source-column-missing")
            highest = _run(connection, statements.highest(field)).scalar_one()
        if highest is None:
            return None
        if _TEXT_TYPES.match(statements.types[field]) and not _SORTS_BY_TIME.fullmatch(str(highest).strip()):
            raise Unprocessable(
                f"{field} cannot be a watermark: its texts, like {highest!s:.40}, do not sort by time.",
                slug="watermark-unsorted",
            )
        return str(highest)

    def change_version(self, table: SourceTable) -> int:
        self.capabilities.require(Ability.CHANGE_TRACKING)
        with self._connection("the change tracking of") as connection:
            return change_tracking.version(connection, self._statements(table))

    def changes_since(self, table: SourceTable, version: int) -> Changes:
        self.capabilities.require(Ability.CHANGE_TRACKING)
        with self._connection("the change tracking of") as connection:
            statements = self._tracked(connection, table)
            now = change_tracking.require_remembered(connection, statements, version)
            deleted = _run(connection, statements.deleted(version), stream=True)
            return Changes(now, fetch_extract(deleted, self._dialect).frame())

    def close(self) -> None:
        self._engine.dispose()

    def _quote(self, name: str) -> str:
        return self._engine.dialect.identifier_preparer.quote_identifier(name)

    def _statements(self, table: SourceTable, schema: TableSchema | None = None) -> Statements:
        if isinstance(self._dialect, SqlServer) and re.match(r"\s*with\b", table.query or "", re.I):
            raise Unprocessable(
                "SQL Server takes no WITH within another query: make a view of it, and name that.",
                slug="source-query-with",
            )
        return Statements(self._dialect, self._quote, table, schema.columns if schema is not None else {})

    def _tracked(self, connection: Connection, table: SourceTable, schema: TableSchema | None = None) -> Statements:
        statements = self._statements(table, schema)
        return replace(statements, primary_key=change_tracking.primary_key(connection, statements))

    @contextmanager
    def _reading(
        self, table: SourceTable, what: str, schema: TableSchema | None = None
    ) -> Iterator[tuple[Connection, Statements]]:
        """A transaction, and the statements of the table with the types that they need."""
        if isinstance(table.since, ChangedSince):
            self.capabilities.require(Ability.CHANGE_TRACKING)
        if schema is None and (isinstance(table.since, Since) or what == "the watermark of"):
            schema = self.schema(table)
        with self._connection(what) as connection:
            if isinstance(table.since, ChangedSince):
                yield connection, self._tracked(connection, table, schema)
            else:
                yield connection, self._statements(table, schema)

    @contextmanager
    def _connection(self, what: str) -> Iterator[Connection]:
        """A read-only transaction, whose errors are raised as problems without anything of the secret."""
        try:
            with self._engine.connect() as connection:
                seconds = self._timeouts.within_total(self._timeouts.silence_seconds)
                self._dialect.begin(connection, self._timezone, seconds * STATEMENT_TIMEOUT_SHARE)
                yield connection
        except Problem:
            raise
        except Exception as error:
            if not is_driver_error(error):
                raise
            raise to_problem(error, self._url, what) from None


def _run(connection: Connection, statement: Statement, *, stream: bool = False) -> CursorResult[Any]:
    """Run SQL in which colons and percent signs are literal, but for the statement's own parameters."""
    connection = connection.execution_options(stream_results=stream)
    if not statement.parameters:
        return connection.execution_options(no_parameters=True).exec_driver_sql(statement.sql)
    escaped = statement.sql.replace(":", "\\:")
    for name in statement.parameters:
        escaped = re.sub(rf"\\:{name}\b", f":{name}", escaped)
    return connection.execute(text(escaped), statement.parameters)


def _key(row: tuple[Any, ...], parts: int) -> Key:
    return [part if isinstance(part, int) else as_text(part) for part in row[:parts]]  # type: ignore[misc]
