"""Counties side by side: their newest rolls, and their newest ratio studies."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from shared.contracts.ratio_study import RatioStudyResults
from shared.schemas import Schema

STATISTICS = ("median", "cod", "prd", "prb")


class ComparedStudy(Schema):
    """The county's newest ratio study that is of all its sales of a period."""

    ratio_study_id: UUID
    sale_from: date
    sale_to: date
    value_source: str
    sales: int
    statistics: dict[str, float]
    verdicts: dict[str, str]


class ComparedCounty(Schema):
    """A county: its newest roll, and its newest study; None of what it has none of."""

    county_id: str
    county_name: str
    roll_year: int | None
    parcels: int | None
    total_value: Decimal | None
    assessed_value: Decimal | None
    median_value: Decimal | None
    study: ComparedStudy | None


class ComparedCounties(Schema):
    """The counties, in the order in which they were asked for."""

    counties: tuple[ComparedCounty, ...]


def compared_study(study_id: UUID, results: RatioStudyResults) -> ComparedStudy:
    """The figures of a study that are compared."""
    overall = results.overall
    return ComparedStudy(
        ratio_study_id=study_id,
        sale_from=results.sale_from,
        sale_to=results.sale_to,
        value_source=results.value_source,
        sales=overall.sales,
        statistics={name: overall.statistics[name].value for name in STATISTICS if name in overall.statistics},
        verdicts={verdict.code: verdict.result for verdict in overall.verdicts if verdict.code in STATISTICS},
    )
