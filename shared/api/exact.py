"""Strict forms of numbers and days in a query or a path."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, get_args

from aws_lambda_powertools.event_handler.openapi.compat import ModelField
from pydantic import AwareDatetime

from shared.exact import DAY, require_day
from shared.problems import Fault

_FORMS: tuple[tuple[tuple[type, ...], re.Pattern[str], str], ...] = (
    ((int,), re.compile(r"-?\d{1,18}", re.ASCII), "a whole number, in digits"),
    ((float, Decimal), re.compile(r"-?\d{1,30}(\.\d{1,30})?", re.ASCII), "a number, in digits"),
    ((date, datetime, AwareDatetime), DAY, "a day (YYYY-MM-DD) or a moment (RFC 3339)"),
)


def form_faults(location: str, fields: Iterable[ModelField], sent: Mapping[str, str | None]) -> list[Fault]:
    """The faults of parameters in another form, and of days beyond the years in use."""
    faults = []
    for field in fields:
        text = sent.get(field.alias)
        types = _types(field.field_info.annotation)
        for kinds, form, shown in _FORMS:
            if text is None or str in types or not types & set(kinds):
                continue
            reason = f"Write {shown}." if not form.fullmatch(text) else _beyond(text) if form is DAY else None
            if reason is not None:
                faults.append(Fault(f"/{location}/{field.alias}", reason, "form"))
    return faults


def _beyond(text: str) -> str | None:
    try:
        require_day(text)
    except ValueError as error:
        return f"{error}."
    return None


def _types(annotation: Any) -> set[Any]:
    parts = get_args(annotation)
    return set().union(*(_types(part) for part in parts)) if parts else {annotation}
