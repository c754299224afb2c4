"""The correlation id: one identifier of a request and of all that it starts, in all log lines and in the database's
sessions.

It is API Gateway's request id, which the caller gets with each problem; the request that starts a job or a sync run
hands it to the state machine, and that to each of its tasks. What no request has started (a schedule's sync) has the
name of its execution. A task's log lines also have `work_id`, the id of its job or run. A request's address is known
beside it, for the audit trail.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import orjson

from shared.access.key_secret import redact

FIELD = "correlation_id"
"""The member of an execution's input and of a task's event that holds it, and the key in log lines."""

_correlation_id: ContextVar[str | None] = ContextVar("correlation_id", default=None)
_work_id: ContextVar[str | None] = ContextVar("work_id", default=None)
_source_address: ContextVar[str | None] = ContextVar("source_address", default=None)


def correlation_id() -> str | None:
    """The correlation id of what runs now; None outside a Lambda entry."""
    return _correlation_id.get()


def source_address() -> str | None:
    """The IP address that the present request came from; None in a task, which no caller sends."""
    return _source_address.get()


@contextmanager
def correlated(identifier: str | None, work_id: str | None = None, source_address: str | None = None) -> Iterator[None]:
    """Run a block under a correlation id, on the job or run of `work_id`, for a request from `source_address`."""
    variables = ((_correlation_id, identifier), (_work_id, work_id), (_source_address, source_address))
    tokens = [(variable, variable.set(value)) for variable, value in variables]
    try:
        yield
    finally:
        for variable, token in tokens:
            variable.reset(token)


def correlation_id_of(event: Any, context: Any) -> str | None:
    """The correlation id of an invocation: by API Gateway's, Step Functions' or EventBridge's event, or by Lambda."""
    match event:
        case {"requestContext": {"requestId": str(identifier)}} | {"correlation_id": str(identifier)}:
            return identifier
        case {"detail": {"name": str(name), **detail}}:  # the end of an execution
            return _handed_over(detail.get("input")) or name
        case {"RequestId": identifier}:  # CloudFormation's, of a custom resource
            return str(identifier)
    request_id = getattr(context, "aws_request_id", None)
    return work_id_of(event) or (None if request_id is None else str(request_id))


def work_id_of(event: Any) -> str | None:
    """The id of the job or run that a task's event names; of a scheduled run that Plan begins, its execution's name."""
    match event:
        case {"run_id": str(identifier)} | {"job_id": str(identifier)} | {"execution": {"name": str(identifier)}}:
            return identifier
    return None


def source_address_of(event: Any) -> str | None:
    """The caller's IP address in API Gateway's event: it is the connection's, no header that a caller could write."""
    match event:
        case {"requestContext": {"identity": {"sourceIp": str(address)}}}:
            return address
    return None


def _handed_over(execution_input: Any) -> str | None:
    """The correlation id in an execution's input (JSON)."""
    try:
        document = orjson.loads(execution_input)
    except (TypeError, orjson.JSONDecodeError):
        return None
    identifier = document.get(FIELD) if isinstance(document, Mapping) else None
    return identifier if isinstance(identifier, str) else None


def _redacted(part: Any) -> Any:
    return redact(part) if isinstance(part, str) else part


def add_to_log_records() -> None:
    """Give every log record of this process the attributes `correlation_id` and `work_id`, which Powertools writes as
    keys, and cut the secrets of access keys out of its message."""
    make_record = logging.getLogRecordFactory()
    if getattr(make_record, "correlated", False):
        return

    def make_correlated_record(*args: Any, **options: Any) -> logging.LogRecord:
        record = make_record(*args, **options)
        record.msg = _redacted(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(map(_redacted, record.args))
        for name, variable in ((FIELD, _correlation_id), ("work_id", _work_id)):
            if (identifier := variable.get()) is not None:
                setattr(record, name, identifier)
        return record

    make_correlated_record.correlated = True  # type: ignore[attr-defined]  # so that it is done once
    logging.setLogRecordFactory(make_correlated_record)
