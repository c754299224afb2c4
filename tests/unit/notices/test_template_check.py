"""Templates that no county can use: each is refused with its line, and reads nothing."""

import pytest

from functions.notices.render.letters import default_template
from functions.notices.service.templates import check
from shared.problems import Unprocessable


def letter(body: str) -> str:
    return f"#let letter(notice) = {{\n  [Hello #notice.recipient]\n  {body}\n}}\n"


@pytest.mark.parametrize(
    ("text", "line", "detail"),
    [
        (letter("[#notice.salary]"), 3, "salary is no field of a notice; a template may use: recipient, street"),
        (letter('if notice.deadline == "never" [#notice.salary]'), 3, "salary is no field"),
        (letter('notice.at("salary", default: "")'), 3, "at is no field"),
        (letter('let other = notice\n  other.salary'), 4, "dictionary does not contain key"),
        (letter('read("/etc/passwd")'), 3, "it reads no file and imports no package"),
        (letter('read("../../shared/settings.py")'), 3, "it reads no file and imports no package"),
        (letter('image("/logo.png", alt: "Logo")'), 3, "it reads no file and imports no package"),
        (letter('import "page.typ": *'), 3, "it reads no file and imports no package"),
        (letter('import "@local/letters:1.0.0": *'), 3, "it reads no file and imports no package"),
        (letter("[unclosed"), 1, "unclosed delimiter"),
        (letter('panic("x")'), 3, "panicked"),
        (letter("let f(x) = f(x)\n  f(1)"), 3, "maximum function call depth exceeded"),
        (letter("while true { }"), 3, "condition is always true"),
        (letter("for x in range(1000000000) { x }"), None, "it takes more than"),
        ("#let page(notice) = [x]", None, "defines `letter(notice)`"),
        ("#let letter() = [x]", None, "defines `letter(notice)`"),
        ("#let letter(notice) = [\u6f22]", 1, "could not be displayed"),
    ],
)  # fmt: skip
def test_a_template_that_cannot_be_used_is_refused_with_its_line(text: str, line: int | None, detail: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        check(text)

    (fault,) = refused.value.faults
    assert (fault.pointer, fault.line) == ("/template", line)
    assert detail in fault.detail
    assert "passwd" not in refused.value.detail


def test_the_platforms_template_can_be_used() -> None:
    check(default_template())


def test_a_template_has_no_other_inputs_than_the_letters() -> None:
    check(letter('assert(sys.inputs.keys().sorted() == ("letters", "title"))'))
