"""Market analyses as the API shows them."""

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import ConfigDict, Field, model_validator

from shared.schemas import Schema

GroupBy = Literal["none", "neighborhood", "property_class"]


class MarketAnalysisRequest(Schema):
    """Which sales are to be looked at, and in which groups beside all of them together."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    sale_from: date = Field(alias="from")
    sale_to: date = Field(alias="to")
    group_by: GroupBy = "none"

    @model_validator(mode="after")
    def _period_runs_forward(self) -> "MarketAnalysisRequest":
        if self.sale_from > self.sale_to:
            raise ValueError("from must not be after to")
        return self


class Month(Schema):
    """One month (`2014-05`). The index is 100 in the base month; null where a month has fewer than five sales."""

    month: str
    sales: int
    median_price: Decimal
    median_price_per_sqft: Decimal | None
    index: float | None
    standard_error: float | None = Field(description="of the index, in index points")


class Market(Schema):
    """The months of one group. `reason` says why there is no index."""

    group: str
    sales: int
    base_month: str | None
    months: tuple[Month, ...]
    reason: str | None


class MarketAnalysisResults(Schema):
    """All sales together, then each group. `sales_excluded` counts the county's other sales by reason."""

    sale_from: date
    sale_to: date
    group_by: GroupBy
    overall: Market
    groups: tuple[Market, ...]
    sales_excluded: dict[str, int]
