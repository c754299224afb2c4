"""Reports as HTML: one page that loads nothing, with a caption on each table and words for each drawing."""

from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.reporting.render.html import write_html
from functions.reporting.reports.registry import REPORT_TYPES
from tests.unit.reporting.test_documents import page

HOSTILE = '</td><script>alert(1)</script><img src=x onerror=alert(1)> " onload="x" &amp; {{ 7 * 7 }} {% raw %}'
_VOID = {"meta", "br", "rect", "line", "path", "i"}
_NAMES_THINGS = {"html", "body", "main", "header", "footer", "h1"}


class Outline(HTMLParser):
    """The elements of a page with their attributes, and those that are open at its end."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID - {"i"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def count(self, tag: str) -> int:
        return sum(1 for name, _ in self.elements if name == tag)


def outline(report_type: str, name: str) -> Outline:
    return Outline(write_html(page(report_type, name)).decode())


@pytest.mark.parametrize("report_type", REPORT_TYPES)
def test_a_hostile_name_adds_no_element_and_no_attribute(report_type: str) -> None:
    harmless, hostile = outline(report_type, "King"), outline(report_type, HOSTILE)
    assert [(tag, sorted(attributes)) for tag, attributes in hostile.elements] == [
        (tag, sorted(attributes)) for tag, attributes in harmless.elements
    ]


@pytest.mark.parametrize("report_type", REPORT_TYPES)
def test_a_page_is_whole_loads_nothing_and_has_what_a_screen_reader_needs(report_type: str) -> None:
    shown = outline(report_type, "King")
    assert shown.open == []
    assert {name: shown.count(name) for name in _NAMES_THINGS} == dict.fromkeys(_NAMES_THINGS, 1)
    assert not any(shown.count(tag) for tag in ("script", "link", "img", "iframe", "object", "form"))
    assert shown.elements[0] == ("html", {"lang": "en"})
    assert shown.count("caption") == shown.count("table") > 0
    pictures = [attributes for tag, attributes in shown.elements if tag == "svg" and "role" in attributes]
    assert shown.count("figcaption") == len(pictures)
    assert all(attributes["role"] == "img" and attributes["aria-label"] for attributes in pictures)
    for tag, attributes in shown.elements:
        assert not {"href", "src"} & attributes.keys()
        if tag == "th":
            assert attributes["scope"] in ("col", "row")


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=40))
def test_any_name_makes_a_page(name: str) -> None:
    assert outline("sales_ratio_study", name or "x").open == []
