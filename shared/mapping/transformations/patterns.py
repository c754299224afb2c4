"""Regular expressions of a mapping, checked by the engine that runs them: Rust's `regex`, in pydantic as in Polars."""

import re

from pydantic_core import SchemaError, SchemaValidator, core_schema

_NOT_LINEAR = re.compile(r"\(\?(<?[=!]|P=|>|\()|\\[1-9]|((?<!\\)[*+?]|\{\d+(,\d*)?\})\+")
"""What other engines know: look-around, back-references, atomic groups, conditions, possessive repeats."""


def require_pattern(pattern: str, around: str = "{}") -> None:
    """Raise ValueError for a pattern that cannot be run, alone or in its place in `around`."""
    if _NOT_LINEAR.search(pattern):
        raise ValueError("look-around, back-references and possessive repeats are not supported")
    for tried in (pattern, around.replace("{}", pattern)):
        try:
            SchemaValidator(core_schema.str_schema(pattern=tried, regex_engine="rust-regex"))
        except SchemaError as error:
            raise ValueError(f"{pattern!r} is not a regular expression: {_reason(error)}") from None


def _reason(error: SchemaError) -> str:
    """The engine's own last word; what precedes it draws the pattern."""
    return str(error).rstrip().splitlines()[-1].strip().removeprefix("error: ").removeprefix("SchemaError: ")


def capture_groups(pattern: str) -> int:
    """How many groups a valid pattern captures: opening parentheses that are neither escaped, nor in a class, nor of
    a group that captures nothing.
    """
    groups = 0
    classes = 0  # they nest: [a[^b]]
    place = 0
    while place < len(pattern):
        letter, rest = pattern[place], pattern[place + 1 :]
        if letter == "\\":
            place += 2
            continue
        if letter == "[":
            classes += 1
            place += len(rest) - len(rest.removeprefix("^").removeprefix("]"))  # a bracket at the beginning is a letter
        elif letter == "]" and classes:
            classes -= 1
        elif letter == "(" and not classes:
            groups += not rest.startswith("?") or rest.startswith(("?P<", "?<"))
        place += 1
    return groups
