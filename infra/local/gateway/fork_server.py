"""The process that API processes are forked from: `python -m infra.local.gateway.fork_server FD`.

FD is a socket to the gateway. Its first frame has the functions; each further message brings one end of a socket pair
and asks for a process that serves it, whose id is answered. A fork takes 15 ms and shares the memory of what is
imported already, where a new interpreter takes a second and 100 MB.
"""

import gc
import marshal
import os
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Mapping
from importlib.abc import MetaPathFinder
from typing import Any

from infra.local.child_processes import end_with_parent
from infra.local.gateway.events import ApiIdentity, Request, authorizer_event, proxy_answer, proxy_event
from infra.local.lambda_runtime import (
    Handler,
    LambdaContext,
    access_key,
    function_environment,
    load_handler,
    sign_as_the_running_function,
)
from infra.local.quotas import exceeds_payload
from infra.local.template import Function

LENGTH = struct.Struct("!I")
_BUFFER = memoryview(bytearray(1 << 16))
"""Larger than most messages."""
PROCESS_ID = struct.Struct("!q")
TOO_LARGE = "RequestEntityTooLarge"
"""In place of an answer to an event that Lambda would not take."""
GC_THRESHOLDS = (20_000, 20, 20)
"""Objects between two collections: with Python's own 700 a request of a millisecond pays for several."""
_NOT_BEFORE_A_FORK = frozenset({"numpy", "polars"})
"""Packages that start threads on import: a forked process has none of them, and would wait for them for ever."""


def main() -> None:
    """Fork until the gateway closes its end, which its death does too."""
    control = socket.socket(fileno=int(sys.argv[1]))
    first = read_message(control)
    if first is None:
        return
    stage, described = marshal.loads(first)  # noqa: S302 - the gateway's own
    functions = {arn: Function(**each) for arn, each in described.items()}
    sign_as_the_running_function()
    handlers = _imported(functions)
    control.sendall(b"\0")
    gc.collect()
    gc.freeze()  # else the collector writes to every page, and nothing stays shared
    gc.set_threshold(*GC_THRESHOLDS)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            return
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            end_with_parent(signal.SIGKILL, os.getppid())
            control.close()
            _serve(socket.socket(fileno=descriptors[0]), ApiIdentity(*stage), functions, handlers)
            os._exit(0)
        os.close(descriptors[0])
        control.sendall(PROCESS_ID.pack(pid))


def read_message(connection: socket.socket) -> memoryview | None:
    """The next message: a length of four bytes, then as many. None when the other side is gone.

    There is never more than one under way, so that a read may ask for more than there is. The message stands in
    memory that the next one is read into.
    """
    buffer, received, size_needed = _BUFFER, 0, LENGTH.size
    try:
        while received < size_needed:
            size = connection.recv_into(buffer[received:])
            if not size:
                return None
            received += size
            if size_needed == LENGTH.size <= received:
                size_needed += LENGTH.unpack_from(buffer)[0]
                if size_needed > len(buffer):
                    larger = memoryview(bytearray(size_needed))
                    larger[:received] = buffer[:received]
                    buffer = larger
    except ConnectionError:
        return None
    return buffer[LENGTH.size : size_needed]


class _Refusing(MetaPathFinder):
    """Refuses the import of what does not survive a fork; who needs it imports it in the forked process."""

    def find_spec(self, name: str, *_: object) -> None:
        if name in _NOT_BEFORE_A_FORK:
            raise ImportError(name)


def _imported(functions: Mapping[str, Function]) -> dict[str, Handler]:
    refusing = _Refusing()
    sys.meta_path.insert(0, refusing)
    handlers = {}
    for arn, function in functions.items():
        try:
            handlers[arn] = _load(function)
        except Exception:  # noqa: S112 - the first event will say what is wrong, if anything is
            continue
    sys.meta_path.remove(refusing)
    return handlers


def _load(function: Function) -> Handler:
    os.environ.update(function_environment(function))
    return load_handler(function.handler)


def _serve(
    connection: socket.socket, api: ApiIdentity, functions: Mapping[str, Function], handlers: dict[str, Handler]
) -> None:
    """One request at a time, as a Lambda does: Powertools keeps the current event on its class."""
    access_keys = {arn: access_key(function.name) for arn, function in functions.items()}
    while (message := read_message(connection)) is not None:
        arn, request, resource, parameters, request_id, authorizer, method_arn = marshal.loads(message)  # noqa: S302 - as above
        try:
            handler = handlers.get(arn)
            if handler is None:
                handler = handlers[arn] = _load(functions[arn])
            os.environ["AWS_ACCESS_KEY_ID"] = access_keys[arn]
            event = proxy_event(Request(*request), resource, parameters, api, request_id, authorizer)
            reply: Any
            if method_arn is not None:
                reply = handler(authorizer_event(event, method_arn), LambdaContext(functions[arn]))
            else:
                reply = TOO_LARGE if exceeds_payload(event["body"], event) else _answer(handler, functions[arn], event)
        except Exception as error:
            traceback.print_exc()
            reply = f"{type(error).__name__}: {error}"
        body = marshal.dumps(reply)
        connection.sendall(LENGTH.pack(len(body)) + body)


def _answer(handler: Handler, function: Function, event: dict[str, Any]) -> Any:
    answer = handler(event, LambdaContext(function))
    if isinstance(answer, dict) and exceeds_payload(answer.get("body"), answer):
        return "Function.ResponseSizeTooLarge: Response payload size exceeded maximum allowed payload size"
    return proxy_answer(answer)


if __name__ == "__main__":
    main()
