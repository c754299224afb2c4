"""The fields that a template of letters uses, held against those that there are."""

import re

from functions.notices.domain.letter import LETTER_FIELDS
from shared.problems import Fault

_FIELD = re.compile(r"\bnotice\.([A-Za-z_][\w-]*)")
"""A field as typst reads one; methods of a dictionary look the same, and would get around the declared fields."""


def unknown_fields(template: str) -> list[Fault]:
    """A fault for each use of a field that is not declared, with its line, in branches too that no sample enters."""
    return [
        Fault("/template", f"{name} is no field of a notice; a template may use: {_KNOWN}.", "unknown-field", line)
        for line, text in enumerate(template.split("\n"), start=1)
        for name in _FIELD.findall(text)
        if name not in LETTER_FIELDS
    ]


_KNOWN = ", ".join(LETTER_FIELDS)
