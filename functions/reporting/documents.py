"""PDF by typst: a template of this folder, and the report's data as JSON beside it, never inside its markup."""

from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import typst

from functions.reporting.schemas import ReportType

TEMPLATES = Path(__file__).parent / "templates"


def to_pdf(report_type: ReportType, view: dict[str, Any], made_at: datetime) -> bytes:
    """Typeset a report. The same view and time give the same bytes: only typst's own fonts are used."""
    return typst.compile(
        TEMPLATES / f"{report_type}.typ",
        root=TEMPLATES,
        font_paths=typst.Fonts(include_system_fonts=False),
        format="pdf",
        sys_inputs={"report": orjson.dumps(view).decode()},
        timestamp=made_at.replace(microsecond=0),  # a PDF's times have none
    )
