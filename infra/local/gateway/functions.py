"""Functions that are called in this process."""

import contextlib
import os
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

from infra.local.lambda_runtime import Handler, LambdaContext, function_environment, load_handler
from infra.local.template import Function


class InlineFunctions:
    """Calls handlers in this process, importing each at its first call; their output goes to `log`."""

    def __init__(self, functions: Iterable[Function], log: TextIO) -> None:
        self._functions: Mapping[str, Function] = {function.arn: function for function in functions}
        self._handlers: dict[str, Handler] = {}
        self._log = log

    def invoke(self, arn: str, event: Any) -> Any:
        """The handler's answer; what it raises is raised. Not safe to call from two threads at a time."""
        handler = self._handlers.get(arn) or self._import(arn)
        return handler(event, LambdaContext(self._functions[arn]))

    def _import(self, arn: str) -> Handler:
        function = self._functions[arn]
        os.environ.update(function_environment(function))
        with contextlib.redirect_stdout(self._log), contextlib.redirect_stderr(self._log):
            handler = load_handler(function.handler)
        self._handlers[arn] = handler
        return handler
