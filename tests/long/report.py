"""The HTML report of the long half: each test with its outcome, its duration and its figures."""

import platform
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, PackageLoader

from tests.figures import Figure

REPORT = Path("long-report.html")


@dataclass(frozen=True)
class TestResult:
    """A test as the report shows it. `detail` is the end of a failure, or the reason of a skip."""

    __test__ = False

    name: str
    outcome: str
    seconds: float
    figures: list[Figure]
    detail: str


class FigureReport:
    """A plugin of pytest that writes the report when the session ends, also where tests failed."""

    def __init__(self) -> None:
        self._results: dict[str, list[TestResult]] = defaultdict(list)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the test's call, or the phase that failed or was skipped."""
        if report.when != "call" and report.passed:
            return
        path, _, name = report.nodeid.partition("::")
        figures = [
            Figure(*value) for key, value in report.user_properties if key == "figure" and isinstance(value, tuple)
        ]
        self._results[path].append(TestResult(name, report.outcome, report.duration, figures, _detail(report)))

    def pytest_sessionfinish(self) -> None:
        """Write the report."""
        REPORT.write_text(self.html(), encoding="utf-8")

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say where the report is."""
        terminalreporter.write_line(f"The report: {REPORT.resolve()}")

    def html(self) -> str:
        """The report so far."""
        template = Environment(loader=PackageLoader("tests.long", ""), autoescape=True).get_template("report.html")
        return template.render(
            results=self._results,
            made_at=datetime.now(UTC),
            machine=f"{platform.python_implementation()} {platform.python_version()} on {platform.machine()}",
        )


def _detail(report: pytest.TestReport) -> str:
    if report.skipped and isinstance(report.longrepr, tuple):
        return str(report.longrepr[2])
    return "\n".join(report.longreprtext.splitlines()[-30:]) if report.failed else ""
