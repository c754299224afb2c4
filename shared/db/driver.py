"""pg8000 with fewer round trips.

Stock pg8000 takes three round trips for a statement with parameters, and scans its text anew each time. Here
such a statement is prepared once a connection, and a transaction begins together with its tenant in one trip.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from pg8000.converters import make_params
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
        self._prepared: OrderedDict[tuple[str, tuple[int, ...]], _Prepared] = OrderedDict()
        self.round_trips = 0

    def begin(self, county_id: str) -> None:
        """Begin a transaction that sees `county_id` and no other county: one round trip."""
        self.execute_simple(f"BEGIN; SELECT set_config('app.county_id', {literal(county_id)}, true)")

    def cursor(self) -> "PreparingCursor":
        return PreparingCursor(self)

    def commit(self) -> None:
        if self._in_transaction:
            self.execute_simple("COMMIT")

    def rollback(self) -> None:
        if self._in_transaction:
            self.execute_simple("ROLLBACK")

    def handle_messages(self, context: Any) -> None:
        self.round_trips += 1
        super().handle_messages(context)

    def execute_prepared(self, operation: str, args: Sequence[Any], oids: Sequence[int]) -> Any:
        """Run a statement with `format` parameters, preparing it at its first use."""
        key = (operation, tuple(oids))
        prepared = self._prepared.get(key)
        if prepared is None:
            prepared = self._prepared[key] = self._prepare(operation, args, oids)
        else:
            self._prepared.move_to_end(key)
        params = make_params(self.py_types, args)
        return self.execute_named(prepared.name, params, prepared.columns, prepared.input_funcs, prepared.text)

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
            super().execute(operation, args, stream)
            return
        if not connection._in_transaction and not connection.autocommit:
            connection.execute_simple("BEGIN")
        self._context = connection.execute_prepared(operation, args, self._input_oids)
        self._row_iter = None if self._context.rows is None else iter(self._context.rows)
        self._input_oids = ()
        self.input_types = []
