"""Connections to SQL sources, to permitted addresses, with a timeout on every wait."""

from __future__ import annotations

import socket
from types import ModuleType
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from shared.sources.network import Timeouts, open_socket
from shared.sources.sql.dialects import Dialect


def create_source_engine(url: URL, dialect: Dialect, authority: str | None, timeouts: Timeouts) -> Engine:
    """An engine whose connections are opened by `open_socket`; no parameter of the URL's query reaches the driver."""
    arguments = dialect.arguments(url, authority, timeouts)
    engine = create_engine(url.set(query={}), poolclass=NullPool, connect_args=arguments, hide_parameters=True)
    if url.host is not None:
        host, port = url.host, url.port or dialect.default_port

        def connect(_dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> Any:
            _permit_rerouting()
            seconds = timeouts.within_total(timeouts.connect_seconds)
            opened = open_socket(host, port, seconds)
            try:
                return dialect.connect(opened, parameters, timeouts.within_total(timeouts.silence_seconds))
            except BaseException:
                opened.close()
                raise

        event.listen(engine, "do_connect", connect)
    return engine


class _PermittedSockets(ModuleType):
    """Stand-in for the module `socket` in pytds, which itself connects where a server routes it to another host."""

    def __getattr__(self, name: str) -> Any:
        return getattr(socket, name)

    def create_connection(self, address: tuple[str, int], timeout: float | None = None) -> socket.socket:
        return open_socket(*address, timeout or Timeouts(15, 15, 1).connect_seconds)


def _permit_rerouting() -> None:
    import pytds

    if not isinstance(pytds.socket, _PermittedSockets):
        pytds.socket = _PermittedSockets("socket")
