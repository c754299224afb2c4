"""Checks of a list's filters: values of a fixed set, and times that have been."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from shared.problems import Unprocessable


def require_known(name: str, value: str | None, permitted: Collection[str]) -> None:
    """Raise Unprocessable for a value of the filter `name` that is not permitted; None is no filter."""
    if value is not None and value not in permitted:
        raise Unprocessable(
            f"There is no {name} {value!r}; there are: {', '.join(sorted(permitted))}.",
            pointer=f"/query/{name}",
            slug="filter-unknown",
        )


def require_past(name: str, value: datetime | None) -> None:
    """Raise Unprocessable for a time to come in the filter `name`: nothing is that new."""
    if value is not None and value > datetime.now(UTC):
        raise Unprocessable(f"{name} lies in the future.", pointer=f"/query/{name}", slug="filter-in-the-future")


def require_ordered(least: tuple[str, Any], most: tuple[str, Any]) -> None:
    """Raise Unprocessable where the least value of a range is beyond the largest one; each has its filter's name."""
    (name, low), (other, high) = least, most
    if low is not None and high is not None and low > high:
        raise Unprocessable(f"{name} is beyond {other}.", pointer=f"/query/{name}", slug="range-reversed")
