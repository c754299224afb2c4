"""Typesetting: hostile text stays text, and the same report is the same file."""

import json
from typing import Any, cast

import typst
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.reporting.render.templates import template
from functions.reporting.reports.sales_ratio_study import study_report
from functions.reporting.service.build_report import page_view
from shared.typesetting.pdf import PAGES, to_pdf
from tests.unit.reporting.example_study import MADE_AT, finished, heading, results

HOSTILE = (
    '= Heading\n\n#pagebreak() "quoted" \\ *bold* $x^2$ <label> @ref `raw` // no comment #panic("x")'
    " #figure[x] [ ] { } 日本 =cmd()"
)


def view_of(name: str) -> dict[str, Any]:
    document = results()
    document["strata"][0]["value"] = name
    document["overall"]["notes"] = [name]
    document["overall"]["verdicts"][0]["sentence"] = name
    document["sales_excluded"] = {name or "x": 1}
    named = heading(name or "x")
    return page_view(named, study_report(named, finished(document, note=name)))


def elements(view: dict[str, Any], selector: str) -> list[Any]:
    secret: list[Any] = json.loads(
        typst.query(
            template("sales_ratio_study"), selector, root=cast(bytes, PAGES), sys_inputs={"report": json.dumps(view)}
        )
    )
    return secret


def test_markup_in_names_is_shown_not_run() -> None:
    for selector in ("heading", "figure", "raw", "math.equation", "ref"):
        harmless, hostile = elements(view_of("King"), selector), elements(view_of(HOSTILE), selector)
        assert len(hostile) == len(harmless), selector
    assert to_pdf(template("sales_ratio_study"), view_of(HOSTILE), MADE_AT).startswith(b"%PDF")


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=60))
def test_no_name_breaks_a_report(name: str) -> None:
    assert to_pdf(template("sales_ratio_study"), view_of(name), MADE_AT).startswith(b"%PDF")


def test_the_same_report_is_the_same_file() -> None:
    assert to_pdf(template("sales_ratio_study"), view_of("King"), MADE_AT) == to_pdf(
        template("sales_ratio_study"), view_of("King"), MADE_AT
    )


def test_the_file_says_what_it_is_and_when_it_was_made() -> None:
    pdf = to_pdf(template("sales_ratio_study"), view_of("King"), MADE_AT)
    assert b"D:20261122225700" in pdf
    assert elements(view_of("King"), "heading")[-1]["body"]["text"] == "Sign-off"
