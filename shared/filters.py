"""Checks of a list's filters: values of a fixed set, and times that have been."""

from collections.abc import Collection
from datetime import UTC, datetime

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
