"""Traces for AWS X-Ray: subsegments of an invocation, sent to the daemon that Lambda runs beside a function.

Lambda itself makes the segments of a function with active tracing; a subsegment is one JSON document in a UDP datagram
(https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-daemon). The X-Ray SDK, on which
Powertools' Tracer stands, imports all of botocore: 0.25 to 0.9 s of a cold start were measured for it, where the whole
of a function's own imports takes 0.5 s. Outside Lambda, and where a trace is not sampled, nothing is sent.
"""

import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import orjson

_HEADER = b'{"format":"json","version":1}\n'
_ANNOTATED = (str, int, float, bool)


@dataclass
class _Subsegment:
    trace_id: str
    parent_id: str
    name: str
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    started_at: float = field(default_factory=time.time)
    annotations: dict[str, str | int | float | bool] = field(default_factory=dict)
    error_type: str | None = None

    def document(self) -> dict[str, Any]:
        """The subsegment as X-Ray's document. Of an error it has the type alone: messages can quote a county's data."""
        document: dict[str, Any] = {
            "name": self.name,
            "id": self.id,
            "trace_id": self.trace_id,
            "parent_id": self.parent_id,
            "type": "subsegment",
            "start_time": self.started_at,
            "end_time": time.time(),
            "annotations": self.annotations,
        }
        if self.error_type is not None:
            exception = {"id": secrets.token_hex(8), "type": self.error_type}
            document |= {"fault": True, "cause": {"exceptions": [exception]}}
        return document


_current: ContextVar[_Subsegment | None] = ContextVar("subsegment", default=None)


@contextmanager
def subsegment(name: str) -> Iterator[None]:
    """Trace a block as a subsegment of the one around it, or of the invocation."""
    daemon = _daemon()
    opened = _opened(name) if daemon is not None else None
    if daemon is None or opened is None:
        yield
        return
    token = _current.set(opened)
    try:
        yield
    except BaseException as error:
        opened.error_type = type(error).__name__
        raise
    finally:
        _current.reset(token)
        _send(daemon, opened)


def annotate(key: str, value: object) -> None:
    """Give the current subsegment a value by which traces can be searched."""
    current = _current.get()
    if current is not None and isinstance(value, _ANNOTATED):
        current.annotations[key] = value


def _opened(name: str) -> _Subsegment | None:
    """A new subsegment; None where Lambda has no trace, or X-Ray does not sample it."""
    around = _current.get()
    if around is not None:
        return _Subsegment(around.trace_id, around.id, name)
    parts = dict(part.partition("=")[::2] for part in os.environ.get("_X_AMZN_TRACE_ID", "").split(";"))
    if parts.get("Sampled") != "1" or "Root" not in parts or "Parent" not in parts:
        return None
    return _Subsegment(parts["Root"], parts["Parent"], name)


def _daemon() -> tuple[str, int] | None:
    """The daemon's UDP address: `host:port`, or `tcp:host:port udp:host:port`."""
    address = os.environ.get("AWS_XRAY_DAEMON_ADDRESS", "")
    udp = next((part.removeprefix("udp:") for part in address.split() if not part.startswith("tcp:")), "")
    host, _, port = udp.rpartition(":")
    return (host, int(port)) if host and port.isdigit() else None


def _send(daemon: tuple[str, int], ended: _Subsegment) -> None:
    """A trace that cannot be sent is lost: it fails no request."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.setblocking(False)
        connection.sendto(_HEADER + orjson.dumps(ended.document()), daemon)
