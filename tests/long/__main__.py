"""`python -m tests.long [pytest's arguments]` runs the long half, and writes its figures to `long-report.html`."""

import sys

import pytest

from tests.long.report import FigureReport


def main() -> int:
    """Run what is marked `long` or `bundling`, one test at a time: figures of two at once would not compare."""
    arguments = ["-m", "long or bundling", "-n", "0", "-v", *(sys.argv[1:] or ["tests"])]
    return int(pytest.main(arguments, plugins=[FigureReport()]))


if __name__ == "__main__":
    sys.exit(main())
