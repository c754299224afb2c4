from pathlib import Path

import pytest

from tests.long.report import REPORT, FigureReport

TESTS = """
import pytest
from tests.figures import figure

def test_load(figure):
    figure("p99 of reads", 0.0123, "s", limit=0.05)
    figure("requests", 12_345, limit=10_000)

def test_of_a_fault():
    assert {"<b>": 1} == {}

@pytest.mark.skip(reason="no Chromium here")
def test_of_a_browser(): ...
"""


def test_the_report_shows_outcomes_figures_and_reasons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "test_sample.py").write_text(TESTS)

    pytest.main(["-q", "-n", "0", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "."], plugins=[FigureReport()])

    html = REPORT.read_text()
    assert "0.0123 s" in html
    assert "0.05 s" in html
    assert html.count('class="missed"') == 1
    assert "12,345" in html
    assert "&lt;b&gt;" in html
    assert "no Chromium here" in html
    assert str(REPORT.resolve()) in capsys.readouterr().out
