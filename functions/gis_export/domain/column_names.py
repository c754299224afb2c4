"""Names of columns in formats that take short ones only."""

import re
from collections.abc import Collection, Iterable


def short_names(names: Iterable[str], length: int, reserved: Collection[str] = ()) -> dict[str, str]:
    """The name of each column in a file whose names have at most `length` letters, digits and underscores.

    A name that is taken already, in any case, ends in a number, and a reserved one in an underscore: the same names
    always become the same.
    """
    taken: set[str] = set()
    short: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9_]", "_", name) or "_"
        if not plain[0].isalpha():
            plain = f"f{plain}"
        if plain.casefold() in reserved:
            plain = f"{plain}_"
        candidate, number = plain[:length], 1
        while candidate.casefold() in taken:
            ending = f"_{number}"
            candidate, number = f"{plain[: length - len(ending)]}{ending}", number + 1
        taken.add(candidate.casefold())
        short[name] = candidate
    return short
