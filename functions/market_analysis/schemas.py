"""Market analyses as the API shows them."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from shared.schemas import RequestSchema, Schema

Grouping = Literal["neighborhood", "property_class"]
DownloadFormat = Literal["json", "csv", "parquet"]


def _to_groupings(value: Any) -> Any:
    """Take one name for a list of one, and "none" for an empty one."""
    if isinstance(value, str):
        return () if value == "none" else (value,)
    return value


class MarketAnalysisRequest(RequestSchema):
    """Request for a market analysis: its sales, and their groups beside all of them together.

    `group_by` is one grouping or several. With a `valuation_date` there is a table of the factors that carry a
    month's prices to that day, from the sales before it.
    """

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    sale_from: date = Field(alias="from")
    sale_to: date = Field(alias="to")
    group_by: Annotated[
        tuple[Grouping, ...],
        BeforeValidator(_to_groupings, json_schema_input_type=Grouping | Literal["none"] | list[Grouping]),
    ] = ()
    valuation_date: date | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> "MarketAnalysisRequest":
        if self.sale_from > self.sale_to:
            raise ValueError("from must not be after to")
        if len(set(self.group_by)) != len(self.group_by):
            raise ValueError("name each grouping once")
        return self


class Month(Schema):
    """One month (`2014-05`). An index is 100 in its base month; null where the month's sales allow none.

    `index` is the hedonic one, `repeat_sales_index` that of properties sold twice. One with a standard error over 10 %
    of it is withheld (null), over 5 % `uncertain`. `volume` is the sum of the prices.
    """

    month: str
    sales: int
    volume: Decimal
    median_price: Decimal
    median_price_per_sqft: Decimal | None
    index: float | None
    standard_error: float | None = Field(description="of the index, in index points")
    uncertain: bool | None = None
    repeat_sales_index: float | None
    repeat_sales_standard_error: float | None
    repeat_sales_uncertain: bool | None = None


class AnnualChange(Schema):
    """The change of the hedonic index a year, in percent, and its standard error in percentage points."""

    percent: float
    standard_error: float


class RepeatSales(Schema):
    """Evidence of the repeat-sales index. `reason` says why there is none, `note` how far it is to be trusted."""

    pairs: int
    base_month: str | None
    reason: str | None
    note: str | None = None


class AdjustmentFactor(Schema):
    """Factors that bring prices of the middle of a month to the valuation date."""

    month: str
    factor: float
    standard_error_percent: float


class TimeAdjustment(Schema):
    """The factors of each month of the sales before the valuation date. `reason` says why there are none."""

    valuation_date: date
    sales: int
    factors: tuple[AdjustmentFactor, ...]
    reason: str | None


class Market(Schema):
    """The months of one group; `grouping` is null for all sales.

    `reason` says why there is no hedonic index, `note` how far it is to be trusted.
    """

    grouping: Grouping | None
    group: str
    sales: int
    base_month: str | None
    annual_change: AnnualChange | None
    months: tuple[Month, ...]
    reason: str | None
    note: str | None = None
    repeat_sales: RepeatSales
    time_adjustment: TimeAdjustment | None


class MarketArea(Schema):
    """One group beside the whole county.

    `price_per_sqft_to_county` is the ratio of the medians. `change_from_county` is the difference of the annual
    changes in percentage points, and `moves_apart` whether it is beyond twice its standard error (1.96); both are
    null where either has no index.
    """

    grouping: Grouping
    group: str
    sales: int
    share_of_sales: float
    median_price: Decimal
    median_price_per_sqft: Decimal | None
    price_per_sqft_to_county: float | None
    change_from_county: float | None
    standard_error: float | None
    moves_apart: bool | None


class MarketAnalysisResults(Schema):
    """All sales together, then each group, then the groups compared.

    `sales_excluded` counts the county's other sales by reason.
    """

    sale_from: date
    sale_to: date
    valuation_date: date | None
    group_by: tuple[Grouping, ...]
    overall: Market
    groups: tuple[Market, ...]
    areas: tuple[MarketArea, ...]
    sales_excluded: dict[str, int]
