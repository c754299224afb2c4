"""Faults of sense: where they stand in a mapping, and what they are."""

import difflib
from collections.abc import Collection

from shared.mapping.document import Path

Fault = tuple[Path, str]


def unknown(what: str, name: str, known: Collection[str]) -> str:
    """Says that a name is not known, with the nearest one that is."""
    near = difflib.get_close_matches(name, list(known), n=1)
    hint = f"; did you mean {near[0]}?" if near else f"; there are: {', '.join(known) or 'none'}"
    return f"there is no {what} named {name!r}{hint}"
