"""EventBridge's schedule expressions: `cron(...)`, `rate(...)` and `at(...)`.

AWS's cron has six fields: minutes, hours, day of month, month, day of week, year
(https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html). It differs from Unix in that days of
the week count from 1 (Sunday) to 7, exactly one of the two day fields is `?`, and there are `L`, `W` and `#`.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_EXPRESSION = re.compile(r"^(cron|rate|at)\((.*)\)$")
_RATE = re.compile(r"^([1-9]\d*) (minute|minutes|hour|hours|day|days)$")
_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), start=1)}
_YEARS = (1970, 2199)
_NEAREST_WEEKDAY = re.compile(r"^(\d{1,2})W$")
_LAST_OF_WEEKDAY = re.compile(r"^([1-7]|[A-Z]{3})L$")
_NTH_OF_WEEKDAY = re.compile(r"^([1-7]|[A-Z]{3})#([1-5])$")


class ScheduleExpressionError(ValueError):
    """The expression is not one of EventBridge's; the message names it and the part at fault."""


def next_tick(expression: str, timezone: str, after: datetime) -> datetime | None:
    """The first tick later than `after` (aware), in UTC; None when there is none any more.

    `cron` and `at` are read in `timezone`. As on AWS, a local time that daylight saving leaves out does not tick,
    and one that happens twice ticks the first time only. `rate` counts from the Unix epoch, so it is the same at
    every start. Raises ScheduleExpressionError.
    """
    match = _EXPRESSION.match(expression.strip())
    if match is None:
        raise ScheduleExpressionError(f"{expression!r} is neither cron(...), rate(...) nor at(...)")
    kind, body = match.groups()
    try:
        zone = ZoneInfo(timezone)
    except (LookupError, ValueError, OSError) as error:
        raise ScheduleExpressionError(f"{timezone!r} is not a time zone") from error
    if kind == "rate":
        return _next_of_rate(body, after)
    if kind == "at":
        return _only_tick(body, zone, after)
    return _next_of_cron(CronExpression.parse(body), zone, after)


@dataclass(frozen=True)
class CronExpression:
    """The six fields, as the values that they allow; days are decided by `allows`."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: frozenset[int]
    years: frozenset[int]
    day_of_month: str
    day_of_week: str

    @classmethod
    def parse(cls, body: str) -> "CronExpression":
        """Parse the content of the parentheses. Raises ScheduleExpressionError."""
        fields = body.upper().split()
        if len(fields) != 6:
            raise ScheduleExpressionError(f"cron({body}) has {len(fields)} fields where 6 are expected")
        minutes, hours, day_of_month, month, day_of_week, year = fields
        if (day_of_month == "?") == (day_of_week == "?"):
            raise ScheduleExpressionError(f"cron({body}): exactly one of the two day fields must be ?")
        parsed = cls(
            minutes=tuple(sorted(_values(minutes, 0, 59))),
            hours=tuple(sorted(_values(hours, 0, 23))),
            months=frozenset(_values(month, 1, 12, _MONTHS)),
            years=frozenset(_values(year, *_YEARS)),
            day_of_month=day_of_month,
            day_of_week=day_of_week,
        )
        parsed.days_of(2024, 1)  # a field of days that is not understood is noticed now
        return parsed

    def days_of(self, year: int, month: int) -> list[int]:
        """The days of a month that the expression allows, in order."""
        length = calendar.monthrange(year, month)[1]
        if self.day_of_week == "?":
            chosen = _days_by_date(self.day_of_month, year, month, length)
        else:
            chosen = _days_by_weekday(self.day_of_week, year, month, length)
        return sorted(day for day in chosen if 1 <= day <= length)


def _next_of_cron(cron: CronExpression, zone: ZoneInfo, after: datetime) -> datetime | None:
    first = after.astimezone(zone).date() - timedelta(days=1)
    for year in range(max(first.year, _YEARS[0]), _YEARS[1] + 1):
        if year not in cron.years:
            continue
        for month in sorted(cron.months):
            if (year, month) < (first.year, first.month):
                continue
            for day in cron.days_of(year, month):
                tick = _first_of_day(cron, date(year, month, day), zone, after)
                if tick is not None:
                    return tick
        if year > first.year + 40:  # every combination of weekday and leap year has come by
            return None
    return None


def _first_of_day(cron: CronExpression, day: date, zone: ZoneInfo, after: datetime) -> datetime | None:
    if day < after.astimezone(zone).date() - timedelta(days=1):
        return None
    ticks = (_instant(day, hour, minute, zone) for hour in cron.hours for minute in cron.minutes)
    return min((tick for tick in ticks if tick is not None and tick > after), default=None)


def _instant(day: date, hour: int, minute: int, zone: ZoneInfo) -> datetime | None:
    """The local time in UTC; None for one that daylight saving leaves out."""
    local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
    instant = local.astimezone(UTC)
    return instant if instant.astimezone(zone).hour == hour else None


def _next_of_rate(body: str, after: datetime) -> datetime:
    match = _RATE.match(body)
    if match is None:
        raise ScheduleExpressionError(f"rate({body}) is not a number and minutes, hours or days")
    unit = {"minute": 60, "hour": 3600, "day": 86400}[match[2].removesuffix("s")]
    period = int(match[1]) * unit
    return datetime.fromtimestamp((int(after.timestamp()) // period + 1) * period, UTC)


def _only_tick(body: str, zone: ZoneInfo, after: datetime) -> datetime | None:
    try:
        tick = datetime.fromisoformat(body).replace(tzinfo=zone).astimezone(UTC)
    except ValueError as error:
        raise ScheduleExpressionError(f"at({body}) is not a time like 2026-01-31T08:00:00") from error
    return tick if tick > after else None


def _days_by_date(field: str, year: int, month: int, length: int) -> set[int]:
    if field == "L":
        return {length}
    if field == "LW":
        return {_nearest_weekday(year, month, length, length)}
    match = _NEAREST_WEEKDAY.match(field)
    if match:
        day = int(match[1])
        return {_nearest_weekday(year, month, day, length)} if day <= length else set()
    return _values(field, 1, 31)


def _nearest_weekday(year: int, month: int, day: int, length: int) -> int:
    """The weekday nearest to a day, without leaving its month."""
    weekday = date(year, month, day).weekday()
    if weekday == calendar.SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == calendar.SUNDAY:
        return day + 1 if day < length else day - 2
    return day


def _days_by_weekday(field: str, year: int, month: int, length: int) -> set[int]:
    """Days of the month that fall on the field's weekdays (1 is Sunday)."""
    if field == "L":
        field = "7"
    last = _LAST_OF_WEEKDAY.match(field)
    if last:
        return {max(_on_weekday(_number(last[1], _DAYS, field), year, month, length))}
    nth = _NTH_OF_WEEKDAY.match(field)
    if nth:
        days = sorted(_on_weekday(_number(nth[1], _DAYS, field), year, month, length))
        position = int(nth[2]) - 1
        return {days[position]} if position < len(days) else set()
    weekdays = _values(field, 1, 7, _DAYS)
    return {day for number in weekdays for day in _on_weekday(number, year, month, length)}


def _on_weekday(number: int, year: int, month: int, length: int) -> set[int]:
    return {day for day in range(1, length + 1) if date(year, month, day).isoweekday() % 7 + 1 == number}


def _values(field: str, low: int, high: int, names: dict[str, int] | None = None) -> set[int]:
    """The numbers that `*`, `a`, `a-b`, `a,b`, `*/n`, `a/n` and `a-b/n` stand for."""
    values: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        if step and not (step.isdigit() and int(step) > 0):
            raise ScheduleExpressionError(f"{field!r}: {step!r} is not a step")
        if span == "*":
            start, end = low, high
        else:
            first, dash, second = span.partition("-")
            start = _number(first, names or {}, field)
            end = _number(second, names or {}, field) if dash else (high if step else start)
        if not low <= start <= high or not low <= end <= high:
            raise ScheduleExpressionError(f"{field!r} is not within {low} to {high}")
        span_range = range(start, end + 1) if start <= end else (*range(start, high + 1), *range(low, end + 1))
        values.update(list(span_range)[:: int(step or 1)])
    return values


def _number(text: str, names: dict[str, int], field: str) -> int:
    if text in names:
        return names[text]
    if not text.isdigit():
        raise ScheduleExpressionError(f"{field!r}: {text!r} is not understood")
    return int(text)
