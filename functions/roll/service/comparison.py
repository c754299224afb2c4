"""Comparing a roll with another year's."""

from decimal import Decimal

from functions.roll.repository import comparison, rolls
from functions.roll.schemas.comparison import ReasonTotals, RollSums, RollYearComparison
from functions.roll.service.rolls import missing_roll
from shared.db import snapshot
from shared.db.models import PLATFORM_SOURCE
from shared.problems import Unprocessable


def compare(county_id: str, roll_year: int, other_year: int) -> RollYearComparison:
    """A roll beside that of another year. Raises NotFound, Unprocessable for the same year twice."""
    if roll_year == other_year:
        raise Unprocessable("A roll is compared with that of another year.", pointer="/query/with", slug="same-roll")
    with snapshot(county_id) as connection:
        for year in (roll_year, other_year):
            if rolls.roll(connection, county_id, year) is None:
                raise missing_roll(county_id, year)
        rows = comparison.by_reason(connection, county_id, before=other_year, after=roll_year, platform=PLATFORM_SOURCE)
    return RollYearComparison(
        roll_year=roll_year,
        compared_with=other_year,
        before=RollSums(
            assessments=sum(row.before_rows for row in rows),
            total_value=sum((row.total_before for row in rows), Decimal(0)),
            assessed_value=sum((row.assessed_before for row in rows), Decimal(0)),
        ),
        after=RollSums(
            assessments=sum(row.after_rows for row in rows),
            total_value=sum((row.total_after for row in rows), Decimal(0)),
            assessed_value=sum((row.assessed_after for row in rows), Decimal(0)),
        ),
        unchanged=sum(row.assessments for row in rows if row.reason is None),
        reasons=[
            ReasonTotals.model_validate(
                {
                    "reason": row.reason,
                    "assessments": row.assessments,
                    "total_value": row.total_after - row.total_before,
                    "assessed_value": row.assessed_after - row.assessed_before,
                }
            )
            for row in rows
            if row.reason is not None
        ],
    )
