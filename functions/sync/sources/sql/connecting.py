"""Connections to a SQL source: to a permitted address, with a limit to every wait."""

from __future__ import annotations

import socket
from types import ModuleType
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from functions.sync.sources.network import Timeouts, open_socket
from functions.sync.sources.sql.dialects import Dialect


def make_engine(url: URL, dialect: Dialect, authority: str | None, patience: Timeouts) -> Engine:
    """An engine whose connections are opened by `open_socket`; no key of the address's query reaches the driver."""
    arguments = dialect.arguments(url, authority, patience)
    engine = create_engine(url.set(query={}), poolclass=NullPool, connect_args=arguments, hide_parameters=True)
    if url.host is not None:
        host, port = url.host, url.port or dialect.default_port

        def connect(_dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> Any:
            _watch_rerouting()
            seconds = patience.at_most(patience.connect_seconds)
            opened = open_socket(host, port, seconds)
            try:
                return dialect.connect(opened, parameters, patience.at_most(patience.silence_seconds))
            except BaseException:
                opened.close()
                raise

        event.listen(engine, "do_connect", connect)
    return engine


class _PermittedSockets(ModuleType):
    """The module `socket` as pytds uses it: where a server sends it on to another host, pytds connects by itself."""

    def __getattr__(self, name: str) -> Any:
        return getattr(socket, name)

    def create_connection(self, address: tuple[str, int], timeout: float | None = None) -> socket.socket:
        return open_socket(*address, timeout or Timeouts(15, 15, 1).connect_seconds)


def _watch_rerouting() -> None:
    import pytds

    if not isinstance(pytds.socket, _PermittedSockets):
        pytds.socket = _PermittedSockets("socket")
