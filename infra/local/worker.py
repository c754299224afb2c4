"""A worker process: runs task functions, one event at a time, in memory of its own.

Started as `python -m infra.local.worker FD`, where FD is a socket to the pool that speaks frames (`message_frames`);
TMPDIR is a folder of its own, which stands for Lambda's /tmp.
It imports a function's code when the pool says so, or when the first event asks for it. On AWS these functions share
no machine with those that answer requests; here they take what requests leave.
"""

import os
import queue
import socket
import sys
import threading
from pathlib import Path
from typing import Any

from infra.local.child_processes import go_to_the_background
from infra.local.function_limits import FunctionLimits
from infra.local.lambda_runtime import (
    Handler,
    LambdaContext,
    error_document,
    function_environment,
    load_handler,
    sign_as_the_running_function,
)
from infra.local.message_frames import read_frame, write_frame
from infra.local.template import Function


def main() -> None:
    """Serves until the pool closes its end, which its death does too."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    go_to_the_background()
    sign_as_the_running_function()
    events: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(connection, events), daemon=True).start()
    handlers: dict[str, Handler] = {}
    limits = FunctionLimits(Path(os.environ["TMPDIR"]))
    while True:
        reply = _run(events.get(), handlers, limits)
        try:
            write_frame(connection, reply)
        except TypeError as error:  # the handler answered with something that is not JSON
            document = error_document(error) | {"errorType": "Runtime.MarshalError"}
            write_frame(connection, {"error": document})


def _listen(connection: socket.socket, events: "queue.SimpleQueue[dict[str, Any]]") -> None:
    """In a thread of its own, so that the pool's end is noticed while a handler runs."""
    while (message := read_frame(connection)) is not None:
        events.put(message)
    os._exit(0)


def _run(message: dict[str, Any], handlers: dict[str, Handler], limits: FunctionLimits) -> dict[str, Any]:
    function = Function(**message["function"])
    try:
        os.environ.update(function_environment(function))
        handler = handlers.get(function.handler)
        if handler is None:
            handler = handlers[function.handler] = load_handler(function.handler)
        if "event" not in message:
            return {"answer": None}
        with limits.of(function):
            return {"answer": handler(message["event"], LambdaContext(function, message["request_id"]))}
    except Exception as error:
        return {"error": error_document(error)}
    finally:
        sys.stdout.flush()


if __name__ == "__main__":
    main()
