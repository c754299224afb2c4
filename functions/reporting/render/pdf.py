"""A report as PDF: its contents as the data of the one template of reports."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from functions.reporting.domain.contents import (
    Area,
    Bar,
    Block,
    Columns,
    DataTable,
    Dots,
    Drawing,
    Label,
    Line,
    Pairs,
    Prose,
    Shape,
    Statements,
)
from functions.reporting.render.page import Page
from functions.reporting.render.printed_table import printed_blocks, printed_table
from shared.typesetting.pdf import to_pdf

TEMPLATE = Path(__file__).parent / "templates/report.typ"

_SHAPES = {Bar: "bar", Dots: "dots", Line: "line", Area: "area", Label: "label"}


def write_pdf(page: Page) -> bytes:
    """Typeset a report; the same page gives the same bytes."""
    return to_pdf(TEMPLATE.read_bytes(), pdf_view(page), page.generated_at)


def pdf_view(page: Page) -> dict[str, Any]:
    """The data of the template."""
    contents = page.contents
    return {
        "title": page.title,
        "county_name": page.county_name,
        "generated_at": page.generated,
        "job_id": page.job_id,
        "approval": None if page.approval is None else {"by": page.approval.by, "at": page.approved},
        "facts": [list(fact) for fact in contents.facts],
        "flipped": contents.flipped,
        "outline": contents.has_outline,
        "sign_off": list(contents.sign_off),
        "sections": [
            {
                "title": section.title,
                "level": section.level,
                "begins_page": section.begins_page,
                "blocks": [_block(block) for block in printed_blocks(section)],
            }
            for section in contents.sections
        ],
    }


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Statements(statements):
            return {"block": "statements", "statements": [asdict(statement) for statement in statements]}
        case Prose(text):
            return {"block": "prose", "text": text}
        case Pairs(pairs):
            return {"block": "pairs", "pairs": [list(pair) for pair in pairs]}
        case DataTable():
            return {"block": "table", **asdict(printed_table(block))}
        case Drawing():
            return {"block": "drawing", **_drawing(block)}
        case Columns(drawings):
            return {"block": "columns", "drawings": [_drawing(drawing) for drawing in drawings]}


def _drawing(drawing: Drawing) -> dict[str, Any]:
    plain = ("title", "alternative", "height", "width", "margin", "x_title", "is_clipped")
    return {
        **{name: getattr(drawing, name) for name in plain},
        "x_ticks": [asdict(tick) for tick in drawing.x_ticks],
        "y_ticks": [asdict(tick) for tick in drawing.y_ticks],
        "legend": [list(entry) for entry in drawing.legend],
        "shapes": [_shape(shape) for shape in drawing.shapes],
    }


def _shape(shape: Shape) -> dict[str, Any]:
    return {"shape": _SHAPES[type(shape)], **vars(shape)}
