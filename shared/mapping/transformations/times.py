"""Transformations that read dates and timestamps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator, model_validator
from typing_extensions import override

from shared.mapping.transformations.step import References, Step, ValueKind, is_unparsed

if TYPE_CHECKING:
    import polars as pl


class _WithFormats(Step):
    format: Annotated[str, Field(min_length=1, max_length=50)] | None = None
    formats: Annotated[tuple[str, ...], Field(min_length=1, max_length=10)] | None = None

    @model_validator(mode="after")
    def _format_or_formats(self) -> _WithFormats:
        if (self.format is None) == (self.formats is None):
            raise ValueError("give either `format` or `formats`")
        for pattern in self.patterns:
            unknown = set(re.findall(r"%[-_0]?(.)", pattern)) - set("YymdbBjeHIMSpfzZT%")
            if "%" not in pattern or unknown:
                raise ValueError(f"{pattern!r} is not a format; write it like %Y%m%d or %m/%d/%Y")
        return self

    @property
    def patterns(self) -> tuple[str, ...]:
        return (self.format,) if self.format is not None else self.formats or ()

    @override
    def failed(self, inputs: Sequence[pl.Expr], result: pl.Expr, references: References) -> pl.Expr | None:
        return is_unparsed(inputs[0], result)


class ParseDate(_WithFormats):
    """Reads a date by `format` (`%Y%m%d`), or by the first of `formats` that fits. A blank text is NULL.

    Of years in two digits (`%y`) those up to `pivot` (69) are of this century, those above of the last. A text that
    fits no format, or is no day of the calendar, rejects the row.
    """

    type: Literal["parse_date"]
    pivot: Annotated[int, Field(ge=0, le=99)] | None = None
    returns: ClassVar[ValueKind] = ValueKind.DATE

    @override
    def expression(self, inputs: Sequence[pl.Expr], references: References) -> pl.Expr:
        import polars as pl

        text = inputs[0].str.strip_chars()
        return pl.coalesce([self._read(text, pattern) for pattern in self.patterns])

    def _read(self, text: pl.Expr, pattern: str) -> pl.Expr:
        import polars as pl

        day = text.str.to_date(pattern, strict=False)
        if "%y" not in pattern or self.pivot is None:
            return day
        in_century = day.dt.year() % 100
        year = in_century + pl.when(in_century <= self.pivot).then(2000).otherwise(1900)
        return pl.date(year, day.dt.month(), day.dt.day())


class ParseTimestamp(_WithFormats):
    """Reads a timestamp, written in the clock time of `timezone` (default UTC), like `parse_date`; `%z` reads an offset
    (`-08`, `-0800`, `-08:00`, `Z`), which then decides instead of `timezone`, and `.%f` a fraction of any length.

    Read as a date, it is the day that the text says; of one with an offset, the day in `timezone`, or without one
    in the county's own time zone. In autumn's doubled hour the earlier one is taken; a clock time that spring leaves
    out rejects the row.
    """

    type: Literal["parse_timestamp"]
    timezone: str | None = None
    returns: ClassVar[ValueKind] = ValueKind.TIMESTAMP

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str | None) -> str | None:
        if name is None:
            return None
        if name not in available_timezones():
            raise ValueError(f"{name!r} is not a time zone; write it like America/Los_Angeles")
        return ZoneInfo(name).key

    @override
    def expression(self, inputs: Sequence[pl.Expr], references: References) -> pl.Expr:
        import polars as pl

        return pl.coalesce(self._timestamp(inputs[0], pattern) for pattern in self.patterns)

    def day(self, inputs: Sequence[pl.Expr], references: References) -> pl.Expr:
        """The day of the timestamp (see the class)."""
        import polars as pl

        zone = self.timezone or references.timezone
        days = []
        for pattern in self.patterns:
            timestamp = self._timestamp(inputs[0], pattern)
            clock = timestamp.dt.convert_time_zone(zone) if "%z" in pattern else self._clock(inputs[0], pattern)
            days.append(pl.when(timestamp.is_not_null()).then(clock.dt.date()))
        return pl.coalesce(days)

    def _timestamp(self, text: pl.Expr, pattern: str) -> pl.Expr:
        if "%z" not in pattern:
            local = self._clock(text, pattern).dt.replace_time_zone(
                self.timezone or "UTC", ambiguous="earliest", non_existent="null"
            )
            return local.dt.convert_time_zone("UTC")
        with_digits = text.str.strip_chars().str.replace("[zZ]$", "+0000")
        return with_digits.str.to_datetime(_chrono(pattern), strict=False, time_unit="us", time_zone="UTC")

    def _clock(self, text: pl.Expr, pattern: str) -> pl.Expr:
        return text.str.strip_chars().str.to_datetime(_chrono(pattern), strict=False, time_unit="us")


def _chrono(pattern: str) -> str:
    """The equivalent format of Polars' parser: its `%f` are nanoseconds, and its `%z` requires minutes."""
    return pattern.replace(".%f", "%.f").replace("%z", "%#z")
