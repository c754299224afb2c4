"""Messages between the pool and its workers: a length of four bytes, then JSON."""

import json
import socket
import struct
from typing import Any

_LENGTH = struct.Struct("!I")


def write_frame(connection: socket.socket, message: dict[str, Any]) -> None:
    """Sends one message. Raises TypeError for what JSON cannot say (a handler's answer may be anything)."""
    body = json.dumps(message).encode()
    connection.sendall(_LENGTH.pack(len(body)) + body)


def read_frame(connection: socket.socket) -> dict[str, Any] | None:
    """The next message; None when the other side is gone."""
    try:
        head = _read_exactly(connection, _LENGTH.size)
        body = _read_exactly(connection, _LENGTH.unpack(head)[0]) if head is not None else None
    except ConnectionResetError:
        return None
    return json.loads(body) if body is not None else None


def _read_exactly(connection: socket.socket, size: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        part = connection.recv(min(size - len(parts), 1 << 20))
        if not part:
            return None
        parts += part
    return bytes(parts)
