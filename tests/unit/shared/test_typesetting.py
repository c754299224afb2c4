"""PDF/UA-1 of any text: what no font has is a box, everything else is shown."""

from datetime import UTC, datetime

import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.typesetting.glyphs import displayable
from shared.typesetting.pdf import to_pdf

MADE_AT = datetime(2026, 11, 29, tzinfo=UTC)
PLAIN = b"""#set document(title: "A list of names")
#set text(font: ("Libertinus Serif", "DejaVu Sans Mono"))
#let report = json(bytes(sys.inputs.view))
#for name in report.names [#name #parbreak()]"""


@pytest.mark.parametrize("name", ["Zoë Núñez", "Łukasz Żółć", "محمد علي", "יעל כהן", "Ελένη", "Дмитрий", "−½ €"])
def test_names_in_the_scripts_of_the_fonts_are_shown_as_they_are(name: str) -> None:
    assert displayable(name) == name
    assert to_pdf(PLAIN, {"names": [name]}, MADE_AT).startswith(b"%PDF")


def test_what_no_font_has_is_a_box() -> None:
    assert displayable({"owner": "山田 a\x1f\ud800\n", "of": ("\t", 1, None)}) == {
        "owner": "\u25a1\u25a1 a\u25a1\u25a1\n",
        "of": ["\u25a1", 1, None],
    }


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="\x00"), max_size=30), max_size=8))
def test_any_text_can_be_typeset(names: list[str]) -> None:
    assert to_pdf(PLAIN, {"names": names}, MADE_AT).startswith(b"%PDF")


def test_a_template_reads_no_file_but_the_pages_of_documents() -> None:
    for path in ("/etc/passwd", "../pdf.py"):
        with pytest.raises(typst.TypstError):
            to_pdf(f'#read("{path}")'.encode(), {}, MADE_AT)
