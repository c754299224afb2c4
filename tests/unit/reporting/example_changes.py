"""Changes of value, and a roll, all of whose names are one."""

from decimal import Decimal
from itertools import pairwise
from typing import Any

from functions.reporting.domain.contents import Contents, DataTable, Section
from functions.reporting.domain.parameters import CHANGE_BIN_ENDS
from functions.reporting.domain.value_changes import ChangeBin, GroupOfChanges, ParcelChange, ValueChanges
from functions.reporting.reports.assessment_roll import ROLL_COLUMNS, AssessmentRoll
from functions.reporting.reports.change_of_value import PARCEL_COLUMNS, changes_report
from functions.reporting.reports.report_type import Report


def _group(name: str | None, compared: int) -> GroupOfChanges:
    before = Decimal("250000.50") * compared
    return GroupOfChanges(
        group=name,
        compared=compared,
        raised=compared - 1,
        lowered=1,
        unchanged=0,
        only_before=2,
        only_after=1,
        total_before=before,
        total_after=before + 12_000,
        change=Decimal(12_000),
        change_percent=Decimal("1.25"),
        median_change_percent=Decimal("3.50"),
    )


def changes_of(name: str) -> Report:
    """The change of 1,240 parcels from one roll to the next."""
    parcels = [
        ParcelChange(
            property_id=f"P{number}",
            situs_address=name,
            property_class=name,
            neighborhood=None,
            before=Decimal(200_000 + number),
            after=None if number == 9 else Decimal(260_000 - 9000 * number),
            change=None if number == 9 else Decimal(60_000 - 9001 * number),
            change_percent=Decimal("30.00") - 4 * number,
        )
        for number in range(10)
    ]
    bounds = [None, *CHANGE_BIN_ENDS, None]
    distribution = [
        ChangeBin(low=low, high=high, parcels=1240 // (2 + abs(number - 5)) if number else 0)
        for number, (low, high) in enumerate(pairwise(bounds))
    ]
    changes = ValueChanges(
        from_roll_year=2024,
        to_roll_year=2025,
        valuation_run_id=None,
        county=_group(None, 1240),
        groups={
            "property_class": (_group(name, 1000), _group(None, 240)),
            "neighborhood": tuple(_group(f"{name}{n}", 310) for n in range(4)),
        },
        distribution=tuple(distribution),
        largest=tuple(parcels),
    )
    return changes_report(
        changes, [[getattr(parcel, column.data_name) for column in PARCEL_COLUMNS] for parcel in parcels]
    )


def roll_of(name: str) -> Report:
    """A roll of three assessments."""
    rows: list[list[Any]] = [
        [f"P{number}", name, name, name, None, name, Decimal("100.10"), None, Decimal(300 + number), Decimal(90)]
        for number in range(3)
    ]
    table = DataTable(ROLL_COLUMNS, rows, title="Roll 2025")
    contents = Contents(facts=[("Roll year", "2025")], sections=[Section("Roll", [table])])
    return Report(AssessmentRoll.title, contents, {"roll_year": 2025}, table)
