"""The way in which a long computation reports its progress."""

from collections.abc import Callable

ReportProgress = Callable[[int, int | None, str], None]
"""Called with the units done, their total where it is known, and the step that they belong to."""
