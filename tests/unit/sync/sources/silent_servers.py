"""Servers that accept a connection and never say a word, or stop in the middle."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silent_server(says: bytes = b"") -> Iterator[int]:
    """The port of a server that answers with these bytes and falls silent."""
    listening = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            held.append(connection)
            if says:
                connection.recv(1 << 16)
                connection.sendall(says)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield int(listening.getsockname()[1])
    finally:
        listening.close()
        for connection in held:
            connection.close()
