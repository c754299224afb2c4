"""The correlation id: one identifier of a request, a job or a sync run in all log lines and in the database's sessions.

It is API Gateway's request id in a request, which the caller gets with each problem, and the job's or the run's id in a
task. A request that submits a job logs both.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_correlation_id: ContextVar[str | None] = ContextVar("correlation_id", default=None)


def correlation_id() -> str | None:
    """The correlation id of what runs now; None outside a Lambda entry."""
    return _correlation_id.get()


@contextmanager
def correlated(identifier: str | None) -> Iterator[None]:
    """Run a block under a correlation id."""
    token = _correlation_id.set(identifier)
    try:
        yield
    finally:
        _correlation_id.reset(token)


def correlation_id_of(event: Any, context: Any) -> str | None:
    """The correlation id of an invocation: by API Gateway's, Step Functions' or EventBridge's event, or by Lambda."""
    match event:
        case {"requestContext": {"requestId": str(identifier)}}:
            return identifier
        case {"run_id": str(identifier)} | {"job_id": str(identifier)} | {"execution": {"name": str(identifier)}}:
            return identifier
        case {"detail": {"name": str(identifier)}}:
            return identifier
        case Mapping() if "RequestId" in event:  # CloudFormation's, of a custom resource
            return str(event["RequestId"])
    request_id = getattr(context, "aws_request_id", None)
    return None if request_id is None else str(request_id)


def add_to_log_records() -> None:
    """Give every log record of this process the attribute `correlation_id`, which Powertools writes as a key."""
    make_record = logging.getLogRecordFactory()
    if getattr(make_record, "correlated", False):
        return

    def make_correlated_record(*args: Any, **options: Any) -> logging.LogRecord:
        record = make_record(*args, **options)
        identifier = _correlation_id.get()
        if identifier is not None:
            record.correlation_id = identifier
        return record

    make_correlated_record.correlated = True  # type: ignore[attr-defined]  # so that it is done once
    logging.setLogRecordFactory(make_correlated_record)
