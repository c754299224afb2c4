"""PDF by typst: a template of the folder beside this file, and the view's data as JSON, never inside its markup."""

from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import typst

TEMPLATES = Path(__file__).parent / "templates"


def to_pdf(template: str, view: dict[str, Any], generated_at: datetime) -> bytes:
    """Typeset a view. The same view and time give the same bytes: only typst's own fonts are used."""
    return typst.compile(
        TEMPLATES / f"{template}.typ",
        root=TEMPLATES,
        font_paths=typst.Fonts(include_system_fonts=False),
        format="pdf",
        sys_inputs={"report": orjson.dumps(view).decode()},
        timestamp=generated_at.replace(microsecond=0),  # a PDF's times have none
    )
