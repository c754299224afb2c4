"""The templates of reports, one for each type."""

from pathlib import Path

TEMPLATES = Path(__file__).parent / "templates"


def template(report_type: str) -> bytes:
    """The source of a type's template."""
    return (TEMPLATES / f"{report_type}.typ").read_bytes()
