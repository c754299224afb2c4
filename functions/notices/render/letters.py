"""Letters typeset: the frame of a file, which is ours, around the template of a letter, which may be the county's."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

from shared.typesetting.isolated import TypesettingLimits, typeset

LETTER = "letter.typ"
"""The template's name among the files of a document, by which an error names it."""
TYPESETTING = TypesettingLimits(memory_mb=1024, seconds=120)
"""Choices: 500 letters of one page take 700 MB and 2 seconds of a processor (measured); a county's may take more."""
SAMPLE = TypesettingLimits(memory_mb=512, seconds=8)
"""Of the two letters of a check, which take 0.1 seconds: a request has 29."""
_TEMPLATES = Path(__file__).parent / "templates"


@cache
def default_template() -> str:
    """The platform's template of a letter."""
    return (_TEMPLATES / LETTER).read_text(encoding="utf-8")


def typeset_letters(
    letters: Sequence[dict[str, str]],
    template: str,
    title: str,
    generated_at: datetime,
    path: Path,
    limits: TypesettingLimits = TYPESETTING,
) -> list[int]:
    """Typeset letters one after the other into a PDF; returns the page on which each begins.

    Raises shared.typesetting.isolated.TypesettingError.
    """
    files = {"main.typ": (_TEMPLATES / "frame.typ").read_text(encoding="utf-8"), LETTER: template}
    marks = typeset(files, {"letters": list(letters), "title": title}, generated_at, path, limits)
    return [int(mark) for mark in marks]
