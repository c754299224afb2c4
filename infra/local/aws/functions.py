"""Lambda's Invoke, answered by our own workers instead of containers."""

import json
import os
import threading
import time
from functools import cache
from typing import Any

from botocore.config import Config
from moto.awslambda_simple.models import LambdaSimpleBackend
from moto.core.config import default_user_config
from moto.events.models import Rule
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils

from infra.local.aws.clients import new_client
from infra.local.aws.replacements import Replacements
from infra.local.cloud_assembly import ACCOUNT, REGION
from infra.local.quotas import PAYLOAD_BYTES
from infra.local.workers import InvocationError, Invoke

_HALF_A_DAY = 43_200
AGAIN_AFTER_S = (60, 120)
"""Lambda's delays before it retries an asynchronous invocation that failed."""


def install(invoke: Invoke, replacements: Replacements) -> None:
    """Makes moto's Lambda call `invoke`, and its state machines run for real."""
    # moto reads these when it decides which implementation of a service to use
    settings: Any = default_user_config
    replacements.set_item(settings, "lambda", {"use_docker": False})
    replacements.set_item(settings, "stepfunctions", {"execute_state_machine": True})

    def answer(
        _backend: Any, name: str, _qualifier: str | None, body: Any, headers: Any, response_headers: Any
    ) -> bytes | None:
        event = json.loads(body) if body else {}
        if headers.get("X-Amz-Invocation-Type") == "Event":
            invoke_in_background(invoke, function_arn(name), event)
            return b""
        try:
            answer = json.dumps(invoke(function_arn(name), event), ensure_ascii=False).encode()
            _require_within_payload(answer)
            return answer
        except KeyError:
            return None
        except InvocationError as error:
            response_headers["x-amz-function-error"] = "Unhandled"
            return json.dumps(error.document).encode()

    replacements.replace(LambdaSimpleBackend, "invoke", answer)
    _call_targets_of_rules(invoke, replacements)
    # one client for all tasks: making one takes as long as the task, and is not safe in many threads at once
    replacements.replace(lambda_eval_utils, "boto_client_for", _client)
    _clients.cache_clear()


def _call_targets_of_rules(invoke: Invoke, replacements: Replacements) -> None:
    """Makes an event on a bus reach the functions whose rules want it: moto refuses every target of this kind."""
    send_to_targets = Rule.send_to_targets

    def send(self: Any, event: Any, transform_input: bool = True) -> None:
        functions = [target for target in self.targets if ":function:" in target["Arn"]]
        if functions and self.event_pattern.matches_event(event):
            for target in functions:
                invoke_in_background(invoke, function_arn(target["Arn"]), event)
        if len(functions) < len(self.targets):
            send_to_targets(self, event, transform_input)

    replacements.replace(Rule, "send_to_targets", send)


def _require_within_payload(answer: bytes) -> None:
    """Raise InvocationError for an answer that is too large; that of a machine's task has a smaller limit, by moto."""
    if len(answer) > PAYLOAD_BYTES:
        message = f"Response payload size exceeded maximum allowed payload size ({PAYLOAD_BYTES} bytes)."
        raise InvocationError({"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message, "stackTrace": []})


def function_arn(name_or_arn: str) -> str:
    """The ARN of what Invoke may be given: a name, or an ARN with or without a version."""
    if not name_or_arn.startswith("arn:"):
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name_or_arn}"
    return ":".join(name_or_arn.split(":")[:7])


def invoke_in_background(invoke: Invoke, arn: str, event: Any) -> None:
    """Calls a function whose answer nobody waits for, and as Lambda does twice more where it fails."""
    threading.Thread(target=_invoke_again, args=(invoke, arn, event), daemon=True).start()


def _invoke_again(invoke: Invoke, arn: str, event: Any) -> None:
    for delay in (*AGAIN_AFTER_S, None):
        try:
            invoke(arn, event)
        except KeyError:
            return
        except InvocationError:  # the worker's log has the rest
            if delay is not None:
                time.sleep(delay)
            continue
        return


def _client(region: str, service: str, state_credentials: Any = None) -> Any:  # noqa: ARG001  # moto's signature
    return _clients(service, f"http://127.0.0.1:{os.environ['MOTO_PORT']}")


@cache
def _clients(service: str, endpoint: str) -> Any:
    config = Config(
        parameter_validation=False,
        retries={"total_max_attempts": 1},
        connect_timeout=60,
        read_timeout=_HALF_A_DAY,
        max_pool_connections=64,
    )
    return new_client(service, endpoint, config)
