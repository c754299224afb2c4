"""A roll year beside the one before it, all of whose groups have one name."""

from decimal import Decimal

from functions.reporting.domain.roll_records import RollOverlap, RollRow
from functions.reporting.domain.roll_summary import summarize
from functions.reporting.reports.assessment_roll_summary import roll_report
from functions.reporting.reports.report_type import Report
from functions.reporting.schemas import Grouping
from tests.unit.reporting.example_study import heading


def roll_summary_of(name: str) -> Report:
    """The report of a county of three groups in two roll years."""
    groups: list[tuple[Grouping | None, str | None, int]] = [
        (None, None, 6),
        ("property_class", name, 4),
        ("property_class", None, 2),
        ("neighborhood", f"{name}1", 6),
    ]
    rows = [_row(year, *group) for year in (2025, 2024) for group in groups]
    overlap = RollOverlap(5, 1, 2, Decimal("500.00"), Decimal("450.00"), Decimal("20.50"), Decimal("30.00"))
    return roll_report(heading(), summarize(rows, 2025, 2024, ["property_class", "neighborhood"], overlap))


def _row(year: int, grouping: Grouping | None, group: str | None, parcels: int) -> RollRow:
    land, built = (Decimal("100000.25") + 100 * (year - 2024)) * parcels, Decimal("250000.50") * parcels
    mean = ((land + built) / parcels).quantize(Decimal("0.01"))
    return RollRow(year, grouping, group, parcels, 1, land, built, land + built, land, mean, mean, mean, mean)
