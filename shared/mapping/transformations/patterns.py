"""Regular expressions of a mapping, checked by the engine that runs them: Rust's `regex`, in pydantic as in Polars."""

import re

from pydantic_core import SchemaError, SchemaValidator, core_schema

_NOT_LINEAR = re.compile(r"\(\?(<?[=!]|P=|>|\()|\\[1-9]|((?<!\\)[*+?]|\{\d+(,\d*)?\})\+")
"""Constructs of backtracking engines: look-around, back-references, atomic groups, conditions, possessive repeats."""


def require_pattern(pattern: str, template: str = "{}") -> None:
    """Raise ValueError for a pattern that is not valid, alone or inserted into `template`."""
    if _NOT_LINEAR.search(pattern):
        raise ValueError("look-around, back-references and possessive repeats are not supported")
    for expression in (pattern, template.replace("{}", pattern)):
        try:
            SchemaValidator(core_schema.str_schema(pattern=expression, regex_engine="rust-regex"))
        except SchemaError as error:
            raise ValueError(f"{pattern!r} is not a regular expression: {_reason(error)}") from None


def _reason(error: SchemaError) -> str:
    """The engine's reason: the last line of its message, whose other lines point into the pattern."""
    return str(error).rstrip().splitlines()[-1].strip().removeprefix("error: ").removeprefix("SchemaError: ")


def capture_groups(pattern: str) -> int:
    """The number of capturing groups of a valid pattern: opening parentheses that are neither escaped, nor in a class,
    nor of a group that does not capture.
    """
    groups = 0
    classes = 0  # they nest: [a[^b]]
    position = 0
    while position < len(pattern):
        letter, rest = pattern[position], pattern[position + 1 :]
        if letter == "\\":
            position += 2
            continue
        if letter == "[":
            classes += 1
            position += len(rest) - len(rest.removeprefix("^").removeprefix("]"))  # a leading bracket is a letter
        elif letter == "]" and classes:
            classes -= 1
        elif letter == "(" and not classes:
            groups += not rest.startswith("?") or rest.startswith(("?P<", "?<"))
        position += 1
    return groups
