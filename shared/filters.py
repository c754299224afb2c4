"""Filters with a fixed set of values: any other value is refused with the permitted ones."""

from collections.abc import Collection

from shared.problems import Unprocessable


def require_known(name: str, value: str | None, permitted: Collection[str]) -> None:
    """Raise Unprocessable for a value of the filter `name` that is not permitted; None is no filter."""
    if value is not None and value not in permitted:
        raise Unprocessable(
            f"There is no {name} {value!r}; there are: {', '.join(sorted(permitted))}.",
            pointer=f"/query/{name}",
            slug="filter-unknown",
        )
