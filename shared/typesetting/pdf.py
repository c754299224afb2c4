"""PDF by typst: a template, and the data that it shows as JSON, never inside its markup."""

from datetime import datetime
from pathlib import Path
from typing import Any, cast

import orjson
import typst

from shared.typesetting.glyphs import displayable

PAGES = Path(__file__).parent / "pages"
"""The pages that templates may import (`page.typ`, `drawing.typ`), and the only folder that they can read."""


def to_pdf(template: bytes, view: dict[str, Any], generated_at: datetime) -> bytes:
    """Typeset a view, which the template reads as `json(bytes(sys.inputs.view))`.

    The same template, view and time give the same bytes: only typst's own fonts are used. The file is PDF/UA-1.
    Raises typst.TypstError for a template that cannot be typeset.
    """
    return typst.compile(
        template,
        root=cast(bytes, PAGES),  # their types want both alike
        font_paths=typst.Fonts(include_system_fonts=False),
        format="pdf",
        pdf_standards="ua-1",
        sys_inputs={"view": orjson.dumps(displayable(view)).decode()},
        timestamp=generated_at.replace(microsecond=0),  # a PDF's times have none
    )
