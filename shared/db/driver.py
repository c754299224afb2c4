"""pg8000 with fewer round trips.

Stock pg8000 takes three round trips for a statement with parameters, and scans its text anew each time. Here
such a statement is prepared once a connection, and a transaction begins, with its tenant, in the trip of its first
prepared statement.
"""

import select
import socket
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from pg8000.converters import make_params
from pg8000.core import SYNC_MSG, Context, _flush, _write
from pg8000.dbapi import Connection, Cursor, convert_paramstyle, paramstyle
from pg8000.native import literal

MAX_PREPARED = 200


class _Prepared(NamedTuple):
    name: bytes
    columns: Any
    input_funcs: Sequence[Callable[[str], Any]]
    text: str


class PreparingConnection(Connection):  # type: ignore[misc]  # pg8000 carries no types
    """A pg8000 DBAPI connection that keeps what it has prepared, the longest unused going first."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self._usock.family != getattr(socket, "AF_UNIX", None):
            # else the end of a long statement waits for the server's acknowledgement of its beginning: 40 ms
            self._usock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._prepared: OrderedDict[tuple[str, tuple[int, ...]], _Prepared] = OrderedDict()
        self._opening: str | None = None

    def begin(self, county_id: str) -> None:
        """Begin a transaction that sees `county_id` and no other county. It is sent with the first statement."""
        self._opening = f"BEGIN; SELECT set_config('app.county_id', {literal(county_id)}, true)"

    @property
    def stale(self) -> bool:
        """Whether the server has said something while nothing was asked: it has closed the connection."""
        return bool(select.select([self._usock], [], [], 0)[0])

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction has begun, or will with the next statement."""
        return self._opening is not None or bool(self._in_transaction)

    def cursor(self) -> "PreparingCursor":
        return PreparingCursor(self)

    def commit(self) -> None:
        self._opening = None
        if self._in_transaction:
            self.execute_simple("COMMIT")

    def rollback(self) -> None:
        self._opening = None
        if self._in_transaction:
            self.execute_simple("ROLLBACK")

    def execute_simple(self, statement: str) -> Any:
        self.open_transaction()
        return super().execute_simple(statement)

    def execute_unnamed(self, *args: Any, **options: Any) -> Any:
        self.open_transaction()
        return super().execute_unnamed(*args, **options)

    def open_transaction(self) -> None:
        """Send what `begin` has left to be sent, where no prepared statement takes it along."""
        opening, self._opening = self._opening, None
        if opening is not None:
            super().execute_simple(opening)

    def execute_prepared(self, operation: str, args: Sequence[Any], oids: Sequence[int]) -> Any:
        """Run a statement with `format` parameters, preparing it at its first use."""
        key = (operation, tuple(oids))
        prepared = self._prepared.get(key)
        if prepared is None:
            self.open_transaction()
            prepared = self._prepared[key] = self._prepare(operation, args, oids)
        else:
            self._prepared.move_to_end(key)
        params = make_params(self.py_types, args)
        opening, self._opening = self._opening, None
        if opening is not None:
            self.send_QUERY(opening)  # not flushed: it travels with the statement
        self.send_BIND(prepared.name, params)
        self.send_EXECUTE()
        _write(self._sock, SYNC_MSG)
        _flush(self._sock)
        context = Context(columns=prepared.columns, input_funcs=prepared.input_funcs, statement=prepared.text)
        try:
            if opening is not None:
                self.handle_messages(Context(opening))
        finally:
            self.handle_messages(context)  # also after a failure: the answers stay in step with the questions
        return context

    def _prepare(self, operation: str, args: Sequence[Any], oids: Sequence[int]) -> _Prepared:
        if len(self._prepared) >= MAX_PREPARED:
            _, oldest = self._prepared.popitem(last=False)
            self.close_prepared_statement(oldest.name)
        text, _ = convert_paramstyle(paramstyle, operation, args)
        name, columns, input_funcs = self.prepare_statement(text, oids)
        return _Prepared(name, columns, input_funcs, text)


class PreparingCursor(Cursor):  # type: ignore[misc]  # pg8000 carries no types
    """A cursor that runs statements with parameters as prepared ones."""

    _input_oids: Sequence[int]
    input_types: list[int]

    def execute(self, operation: str, args: Sequence[Any] = (), stream: Any = None) -> None:
        connection = self._c
        if not args or stream is not None or connection is None:
            if connection is not None:
                connection.open_transaction()
            super().execute(operation, args, stream)
            return
        if not connection.in_transaction and not connection.autocommit:
            connection.execute_simple("BEGIN")
        self._context = connection.execute_prepared(operation, args, self._input_oids)
        self._row_iter = None if self._context.rows is None else iter(self._context.rows)
        self._input_oids = ()
        self.input_types = []
