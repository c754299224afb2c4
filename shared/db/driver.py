"""pg8000 with fewer round trips.

Stock pg8000 takes three round trips for a statement with parameters, and scans its text anew each time. Here
such a statement is prepared once a connection, and a transaction begins, with its tenant, in the trip of its first
prepared statement. Where each statement is a transaction of its own, that trip also ends it.
"""

import select
import socket
import struct
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from datetime import date, datetime
from typing import Any, NamedTuple

from pg8000.converters import DATE, TIMESTAMPTZ, date_in, make_params, timestamptz_in
from pg8000.core import (
    BIND,
    EXECUTE_MSG,
    NULL_BYTE,
    READY_FOR_QUERY,
    SYNC_MSG,
    Context,
    H_pack,
    _flush,
    _write,
    ci_unpack,
    i_pack,
)
from pg8000.dbapi import (
    Connection,
    Cursor,
    DatabaseError,
    Error,
    InterfaceError,
    convert_paramstyle,
    paramstyle,
)
from pg8000.native import literal

from shared.db.limits import TASK, Limits
from shared.db.redaction import without_values
from shared.observability.correlation import correlation_id

APPLICATION_NAME = "terrafusion"
MAX_APPLICATION_NAME = 63
"""Bytes of a name in PostgreSQL (NAMEDATALEN - 1)."""
MAX_PREPARED = 200
"""Statements kept per connection: a module has some dozens, so none of them is dropped. Only its order matters."""
MAX_IDLE_S = 60
"""Seconds after which an idle connection is not used again: NAT gateways drop idle flows after 350 seconds (Amazon VPC,
"NAT gateways"), firewalls sooner, and a frozen Lambda does not notice that a server has ended."""
_KEEP_ALIVE_SETTINGS = {"TCP_KEEPIDLE": 60, "TCP_KEEPALIVE": 60, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
"""Idle seconds before the kernel probes the other end (the second name is macOS's), seconds between probes, and the
number of them that may stay unanswered. Linux's defaults are 7200, 75 and 9."""
_UNACKNOWLEDGED_MS = 90_000
"""Milliseconds that sent bytes may stay unacknowledged: as long as the probes above take together (60 + 3 * 10 s)."""
_UNATTENDED_SETTINGS = (
    "SET LOCAL client_connection_check_interval = 0",
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL client_min_messages = error",
)
"""Settings by which statements go on while no client waits for them, whatever the server's defaults are: a notice too
is something to say to a client, and ends the session whose client has gone."""


class _Prepared(NamedTuple):
    name: bytes
    columns: Any
    input_funcs: Sequence[Callable[[str], Any]]
    text: str
    description: Sequence[tuple[Any, ...]] | None
    """As a cursor has it (PEP 249)."""


class StreamClosing:
    """A mixin for pg8000's connections that closes the stream with the connection.

    pg8000 drops its buffered stream without closing it. Where the server has gone, unsent bytes are still in the
    buffer, and the garbage collection of the stream fails at them: at any later time, in whatever code runs then.
    """

    _sock: Any

    def close(self) -> None:
        """Raises pg8000's InterfaceError where it is closed already, OSError where the server has gone."""
        stream = self._sock
        try:
            super().close()  # type: ignore[misc]  # pg8000's, behind this class
        finally:
            if stream is not None:
                with suppress(OSError, ValueError):
                    stream.close()


class ClosingConnection(StreamClosing, Connection):  # type: ignore[misc]  # pg8000 carries no types
    """A pg8000 DBAPI connection that ends together with its stream."""


class PreparingConnection(ClosingConnection):
    """A pg8000 DBAPI connection with a cache of prepared statements; the least recently used is dropped first."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self._usock.family != getattr(socket, "AF_UNIX", None):
            # else the end of a long statement waits for the server's acknowledgement of its beginning: 40 ms
            self._usock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            enable_keep_alive(self._usock)
        self.register_in_adapter(DATE, _parse_date)
        self.register_in_adapter(TIMESTAMPTZ, _parse_timestamp)
        self._prepared: OrderedDict[tuple[str, tuple[int, ...]], _Prepared] = OrderedDict()
        self._pending_begin: str | None = None
        self._begin_each: str | None = None
        self._limits = TASK
        self._used_at = time.time()
        self.unanswered = False
        """True until the server has answered something since `begin`."""

    def close(self) -> None:
        """Close the connection; a broken one is closed already. Raises InterfaceError for a second close."""
        broken_is_ended = suppress(InterfaceError) if self._usock is not None else nullcontext()
        with broken_is_ended:
            super().close()

    def begin(self, county_id: str) -> None:
        """Begin a transaction that sees `county_id` and no other county. It is sent with the first statement."""
        self._pending_begin, self._begin_each = f"BEGIN; {_session_settings(county_id)}", None

    def begin_snapshot(self, county_id: str) -> None:
        """As `begin`, but read-only and repeatable read: every statement sees the snapshot of the first."""
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        self._pending_begin, self._begin_each = f"{begin}; {_session_settings(county_id)}", None

    def begin_reading(self, county_id: str) -> None:
        """As `begin`, but read-only, and each prepared statement is a transaction of its own: one round trip."""
        self._pending_begin = self._begin_each = f"BEGIN READ ONLY; {_session_settings(county_id)}"

    @property
    def stale(self) -> bool:
        """True for a connection that is not to be used: the server has closed it, or it has been idle for too long.

        By the wall clock, which goes on while a Lambda is frozen. Unsolicited bytes announce that the server closes.
        """
        if self._usock is None or not 0 <= time.time() - self._used_at <= MAX_IDLE_S:
            return True
        return bool(select.select([self._usock], [], [], 0)[0])

    def apply_limits(self, limits: Limits) -> None:
        """Apply limits to the next transaction: statement and lock timeouts on the server, on the socket the timeout of
        the first answer and then, for a server that does not answer at all, a little more than the statement's.
        """
        self._usock.settimeout(limits.first_answer_s)
        if limits[2:] != self._limits[2:]:
            super().execute_simple(
                f"SET statement_timeout = {_milliseconds(limits.statement_s)};"
                f" SET lock_timeout = {_milliseconds(limits.lock_s)}"
            )
        self._limits = limits
        self.unanswered = True

    @property
    def lock_timeout(self) -> str:
        """`lock_timeout` as the limits have it, as a literal."""
        return _milliseconds(self._limits.lock_s)

    @property
    def in_transaction(self) -> bool:
        """True where a transaction has begun, or will with the next statement."""
        return self._pending_begin is not None or bool(self._in_transaction)

    def cursor(self) -> "PreparingCursor":
        return PreparingCursor(self)

    def commit(self) -> None:
        self._pending_begin = self._begin_each = None
        self._used_at = time.time()
        if self._in_transaction:
            self.execute_simple("COMMIT")

    def rollback(self) -> None:
        self._pending_begin = self._begin_each = None
        self._used_at = time.time()
        if self._in_transaction:
            self.execute_simple("ROLLBACK")

    def execute_simple(self, statement: str) -> Any:
        self.open_transaction()
        return super().execute_simple(statement)

    def execute_unnamed(self, *args: Any, **options: Any) -> Any:
        self.open_transaction()
        return super().execute_unnamed(*args, **options)

    def commit_with(self, statements: Sequence[str], timeout_s: float) -> bool:
        """End the transaction by these statements and COMMIT; False where the server takes longer than the timeout.

        All goes in one message, so the server needs nobody to go on: it looks for its client again when it has
        something to say, which is when the transaction has ended. Whether the client has died until then or waits no
        longer makes no difference to it. A connection that did not answer in time is of no further use.
        """
        self.open_transaction()
        self._usock.settimeout(timeout_s)
        try:
            self.execute_simple(";\n".join([*_UNATTENDED_SETTINGS, *statements, "COMMIT"]))
        except InterfaceError as error:
            if isinstance(error.__cause__, TimeoutError):
                return False
            raise
        finally:
            self._usock.settimeout(self._read_timeout())
        return True

    def open_transaction(self) -> None:
        """Send the pending BEGIN now, where no prepared statement carries it."""
        opening, self._pending_begin = self._pending_begin, None
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
        context = Context(columns=prepared.columns, input_funcs=prepared.input_funcs, statement=prepared.text)
        context.description = prepared.description
        sent = [context]
        if self._pending_begin is not None:
            self.send_QUERY(self._pending_begin)  # not flushed: it travels with the statement
            sent.insert(0, Context(self._pending_begin))
        self._pending_begin = self._begin_each
        self._send_bound(prepared.name, params)
        if self._begin_each is not None:
            self.send_QUERY("COMMIT")
            sent.append(Context("COMMIT"))
        _flush(self._sock)
        self._read_answers(sent)
        return context

    def _send_bound(self, name: bytes, params: Sequence[str | None]) -> None:
        """Bind, Execute and Sync. pg8000's own ask for a flush after each, which the server sends a packet for."""
        body = bytearray(NULL_BYTE + name + H_pack(0) + H_pack(len(params)))
        for value in params:
            encoded = b"" if value is None else value.encode(self._client_encoding)
            body += i_pack(-1 if value is None else len(encoded)) + encoded
        self._send_message(BIND, body + H_pack(0))
        _write(self._sock, EXECUTE_MSG + SYNC_MSG)

    def handle_messages(self, context: Context) -> None:
        """As pg8000's own, which copies each part of each message twice."""
        read, handlers, code = self._sock.read, self.message_types, None
        while code != READY_FOR_QUERY:
            try:
                code, size = ci_unpack(read(5))
                body = read(size - 4)
            except (OSError, struct.error) as error:  # of an end in the middle there is too little to unpack
                raise InterfaceError("network error") from error
            if len(body) < size - 4:
                raise InterfaceError("network error")
            handlers[code](body, context)
        if self.unanswered:
            self.unanswered = False
            self._usock.settimeout(self._read_timeout())
        if context.error is not None:
            raise context.error

    def _read_timeout(self) -> float | None:
        """Seconds without an answer after which the server is taken for gone: two more than its statement timeout."""
        return None if self._limits.statement_s is None else self._limits.statement_s + 2

    def handle_ERROR_RESPONSE(self, data: Any, context: Any) -> None:  # noqa: N802 - pg8000's name
        """As pg8000's own, without the values that the server repeats: errors go to logs."""
        super().handle_ERROR_RESPONSE(data, context)
        context.error = DatabaseError(without_values(context.error.args[0]))

    def _read_answers(self, sent: Sequence[Context]) -> None:
        """Read every answer, so that they stay in step with the questions; then raise the first failure."""
        failures = []
        for context in sent:
            try:
                self.handle_messages(context)
            except Error as error:
                if context.error is not error:  # nothing more can be read
                    raise
                failures.append(error)
        if failures:
            raise failures[0]

    def _prepare(self, operation: str, args: Sequence[Any], oids: Sequence[int]) -> _Prepared:
        if len(self._prepared) >= MAX_PREPARED:
            _, oldest = self._prepared.popitem(last=False)
            self.close_prepared_statement(oldest.name)
        text, _ = convert_paramstyle(paramstyle, operation, args)
        name, columns, input_funcs = self.prepare_statement(text, oids)
        described = [(each["name"], each["type_oid"], None, None, None, None, None) for each in columns or ()]
        return _Prepared(name, columns, input_funcs, text, described or None)


class PreparingCursor(Cursor):  # type: ignore[misc]  # pg8000 carries no types
    """A cursor that runs statements with parameters as prepared ones."""

    _input_oids: Sequence[int]
    input_types: list[int]

    @property
    def description(self) -> Any:
        prepared = getattr(self._context, "description", None)
        return super().description if prepared is None else prepared

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


def enable_keep_alive(connection: socket.socket) -> None:
    """Enable TCP keep-alive, so that the kernel detects a peer that is gone."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in {**_KEEP_ALIVE_SETTINGS, "TCP_USER_TIMEOUT": _UNACKNOWLEDGED_MS}.items():
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _session_settings(county_id: str) -> str:
    """SQL of a transaction's settings: its tenant, and its correlation id, which `pg_stat_activity` shows."""
    tenant = f"SET LOCAL app.county_id = {literal(county_id)}"
    identifier = correlation_id()
    if identifier is None:
        return tenant
    return (
        f"{tenant}; SET LOCAL application_name = {literal(f'{APPLICATION_NAME} {identifier}'[:MAX_APPLICATION_NAME])}"
    )


def _milliseconds(seconds: float | None) -> str:
    return "DEFAULT" if seconds is None else f"{round(seconds * 1000)}"


def _parse_timestamp(text: str) -> Any:
    # pg8000's own uses strptime, at ten times the time; what is not in ISO's range is left to it
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return timestamptz_in(text)


def _parse_date(text: str) -> Any:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return date_in(text)
