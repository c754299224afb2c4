"""The decorator of every Lambda entry: required settings, a correlation id, a trace."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from shared.observability.correlation import (
    FIELD,
    add_to_log_records,
    correlated,
    correlation_id,
    correlation_id_of,
    source_address_of,
    work_id_of,
)
from shared.observability.tracing import annotate, subsegment
from shared.settings import require_settings

Event = TypeVar("Event")
Answer = TypeVar("Answer")


def lambda_entry(handler: Callable[[Event, Any], Answer]) -> Callable[[Event, Any], Answer]:
    """Make a function a Lambda entry.

    Raises MissingSettingsError while the function is imported, before its first event, where a variable is missing that
    its grants name.
    """
    require_settings()
    add_to_log_records()
    name = f"## {handler.__name__}"

    @wraps(handler)
    def entry(event: Event, context: Any) -> Answer:
        identifier = correlation_id_of(event, context)
        with correlated(identifier, work_id_of(event), source_address_of(event)), subsegment(name):
            annotate(FIELD, correlation_id())
            return handler(event, context)

    entry.is_lambda_entry = True  # type: ignore[attr-defined]  # what a test asks of every entry of the registry
    return entry
