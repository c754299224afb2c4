"""AWS Lambda's Python runtime: context, environment, errors and loading of a handler."""

import hashlib
import importlib
import os
import time
import traceback
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any
from uuid import uuid4

from infra.local.cloud_assembly import ACCOUNT, REGION
from infra.local.template import Function

Handler = Callable[[Any, "LambdaContext"], Any]


class LambdaContext:
    """The second argument of a handler."""

    function_version = "$LATEST"
    identity = None
    client_context = None

    def __init__(self, function: Function, request_id: str | None = None) -> None:
        self.function_name = function.name
        self.invoked_function_arn = function.arn
        self.memory_limit_in_mb = str(function.memory_mb)
        if request_id is not None:
            self.aws_request_id = request_id
        self.log_group_name = f"/aws/lambda/{function.name}"
        self.log_stream_name = "local"
        self._deadline = time.monotonic() + function.timeout

    @cached_property
    def aws_request_id(self) -> str:
        """The invocation's id; made when it is asked for, which most handlers never do."""
        return str(uuid4())

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function's timeout."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def load_handler(dotted: str) -> Handler:
    """The handler `package.module.attribute`."""
    module, _, name = dotted.rpartition(".")
    handler: Handler = getattr(importlib.import_module(module), name)
    return handler


def access_key(function_name: str) -> str:
    """The access key that a function's calls of AWS are signed with, by which its role is known."""
    return f"ASIA{hashlib.sha256(function_name.encode()).hexdigest()[:16].upper()}"


def sign_as_the_running_function() -> None:
    """Make boto3's clients in this process sign with the access key that the environment has at each call.

    A process of ours runs one function after another, and their clients outlive each: in Lambda every function has a
    process, and a role, of its own.
    """
    from botocore.credentials import Credentials, EnvProvider, ReadOnlyCredentials

    class OfEnvironment(Credentials):
        def get_frozen_credentials(self) -> Any:
            return ReadOnlyCredentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"], None)

    def load(_provider: Any) -> Any:
        return OfEnvironment(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])

    EnvProvider.load = load  # type: ignore[method-assign, assignment]


def function_environment(function: Function) -> dict[str, str]:
    """The function's variables, and those that the runtime itself sets."""
    return dict(function.environment) | {
        "AWS_ACCESS_KEY_ID": access_key(function.name),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCOUNT_ID": ACCOUNT,
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "_HANDLER": function.handler,
    }


def error_document(error: BaseException) -> dict[str, Any]:
    """The answer to an invocation whose handler raised; state machines match `errorType`."""
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "stackTrace": traceback.format_tb(error.__traceback__),
    }


_OWN_TO_EACH = frozenset({"POWERTOOLS_SERVICE_NAME", "REQUIRED_SETTINGS"})
"""Read while a handler is imported, so it may differ between functions of one process."""


class ConflictingVariablesError(ValueError):
    """Two functions that share a process have different values of one variable."""


def shared_variables(functions: Iterable[Function]) -> dict[str, str]:
    """The variables of all functions together. Raises ConflictingVariablesError when they cannot share a process.

    Settings are cached in a process: a value that depended on the function would be that of whichever came first.
    """
    variables: dict[str, str] = {}
    for function in functions:
        for name, value in function.environment.items():
            if name not in _OWN_TO_EACH and variables.setdefault(name, value) != value:
                raise ConflictingVariablesError(f"{function.name} has another value of {name} than the others")
    return variables
