"""Every type in every page-like format: hostile text stays text, and the same report is the same file."""

import json
from typing import Any, cast

import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.reporting.render.page import Page, page_of
from functions.reporting.render.pdf import TEMPLATE, pdf_view, write_pdf
from functions.reporting.reports.registry import REPORT_TYPES
from shared.typesetting.glyphs import displayable
from shared.typesetting.pdf import PAGES
from tests.unit.reporting.example_study import heading
from tests.unit.reporting.examples import EXAMPLES

HOSTILE = (
    '= Heading\n\n#pagebreak() "quoted" \\ *bold* $x^2$ <label> @ref `raw` // no comment #panic("x")'
    " #figure[x] [ ] { } 日本 =cmd()"
)


def page(report_type: str, name: str) -> Page:
    report = EXAMPLES[report_type](name)
    return page_of(heading(name), report.title, report.contents)


def elements(shown: Page, selector: str) -> list[Any]:
    view = json.dumps(displayable(pdf_view(shown)))
    found: list[Any] = json.loads(
        typst.query(TEMPLATE.read_bytes(), selector, root=cast(bytes, PAGES), sys_inputs={"view": view})
    )
    return found


def test_every_type_has_an_example() -> None:
    assert EXAMPLES.keys() == REPORT_TYPES.keys()


@pytest.mark.parametrize("report_type", REPORT_TYPES)
def test_markup_in_names_is_shown_not_run(report_type: str) -> None:
    for selector in ("heading", "figure", "raw", "math.equation", "ref"):
        harmless, hostile = (
            elements(page(report_type, "King"), selector),
            elements(page(report_type, HOSTILE), selector),
        )
        assert len(hostile) == len(harmless), selector
    assert write_pdf(page(report_type, HOSTILE)).startswith(b"%PDF")


@pytest.mark.parametrize("report_type", REPORT_TYPES)
@settings(max_examples=6, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=60))
def test_no_name_breaks_a_report(report_type: str, name: str) -> None:
    assert write_pdf(page(report_type, name)).startswith(b"%PDF")


@pytest.mark.parametrize("name", ["محمد علي " * 34, "W" * 300, "יעל כהן"])
@pytest.mark.parametrize("report_type", REPORT_TYPES)
def test_long_names_and_names_from_right_to_left_are_typeset(report_type: str, name: str) -> None:
    assert write_pdf(page(report_type, name.strip())).startswith(b"%PDF")


@pytest.mark.parametrize("report_type", REPORT_TYPES)
def test_the_same_report_is_the_same_file(report_type: str) -> None:
    assert write_pdf(page(report_type, "King")) == write_pdf(page(report_type, "King"))


def test_the_file_says_what_it_is_and_when_it_was_made() -> None:
    assert b"D:20261122225700" in write_pdf(page("sales_ratio_study", "King"))
    assert elements(page("sales_ratio_study", "King"), "heading")[-1]["body"]["text"] == "Sign-off"
