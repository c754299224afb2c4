"""Findings of `terrafusion doctor`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """The outcome of a check: what was found, and what to do about it (`remedy`), which is empty where all is well.

    `blocking`: without the remedy something will not work.
    """

    check: str
    text: str
    remedy: str = ""
    blocking: bool = False


def problem(check: str, text: str, remedy: str) -> Finding:
    """A finding that has to be mended."""
    return Finding(check, text, remedy, blocking=True)
