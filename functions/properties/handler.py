"""Routes of properties."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import AwareDatetime

from functions.properties.schemas.market import ListedSale, Neighborhood, SaleDecisionFilter, SaleFilter
from functions.properties.schemas.overview import PropertyOverview
from functions.properties.schemas.parcels import (
    MAX_AMOUNT,
    PROPERTY_SORTS,
    SALE_SORTS,
    Improvement,
    ImprovementHistory,
    ParcelChange,
    PropertyDetail,
    PropertyFilter,
    PropertyPatch,
    PropertySale,
    PropertySummary,
    PropertyVersion,
    RollChange,
    RollComparison,
    RollFilter,
)
from functions.properties.schemas.value_explanation import ValueExplanation
from functions.properties.service import (
    comparison,
    improvements,
    neighborhoods,
    overview,
    parcels,
    sales,
    search,
    value_explanation,
)
from shared.access import Permission
from shared.api import Api, answer, from_query, segment
from shared.api.paging import PageSize
from shared.paging import MAX_COUNT, CountedPage, Page

api = Api("properties")
handler = api.handler

_ONE = "/v1/counties/{county_id}/properties/{property_id}"
_ROLL = "/v1/counties/{county_id}/roll-comparison"
_ATTRIBUTES = "attributes."
Filter = Annotated[str | None, Query(max_length=200)]
Amount = Annotated[Decimal | None, Query(ge=0, le=MAX_AMOUNT)]
BuiltIn = Annotated[int | None, Query(ge=0, le=9999)]
Count = Annotated[bool, Query(description=f"the number of rows with the first page, exact up to {MAX_COUNT:,}")]
FirstDay = Annotated[date | None, Query(alias="from", description="the first day of sale")]
LastDay = Annotated[date | None, Query(alias="to", description="the last day of sale")]
AsOf = Annotated[date | datetime | None, Query(description="a day (its end, UTC) or a moment")]
From = Annotated[date | datetime, Query(alias="from", description="a day (its end, UTC) or a moment")]
To = Annotated[date | datetime, Query(alias="to", description="a later day or moment")]


def _sorts(fields: Iterable[str]) -> str:
    return f"one of {', '.join(fields)}; with - in front the largest first, rows without a value always last"


@api.get(
    "/v1/counties/{county_id}/properties",
    permission=Permission.VIEW_PROPERTIES,
    summary="Search properties",
    query_prefix=_ATTRIBUTES,
)
def search_properties(
    county_id: str,
    parcel_number: Filter = None,
    property_class: Filter = None,
    neighborhood: Filter = None,
    bbox: Annotated[str | None, Query(description="west,south,east,north in degrees")] = None,
    updated_since: Annotated[AwareDatetime | None, Query()] = None,
    q: Annotated[str | None, Query(max_length=200, description="words of the address")] = None,
    include_retired: Annotated[bool, Query()] = False,
    min_total_value: Amount = None,
    max_total_value: Amount = None,
    min_land_area_sqft: Amount = None,
    max_land_area_sqft: Amount = None,
    min_living_area_sqft: Amount = None,
    max_living_area_sqft: Amount = None,
    min_year_built: BuiltIn = None,
    max_year_built: BuiltIn = None,
    sort: Annotated[str | None, Query(max_length=100, description=_sorts(PROPERTY_SORTS))] = None,
    count: Count = False,
    page_size: PageSize = 100,
    page_token: Annotated[str | None, Query()] = None,
) -> Response[CountedPage[PropertySummary]]:
    """Properties by id, or in the order of `sort`; every filter that is given must hold.

    `attributes.NAME=VALUE` filters by one of the county's own attributes, compared as text.
    """
    search_filter = from_query(
        PropertyFilter,
        parcel_number=parcel_number,
        property_class=property_class,
        neighborhood=neighborhood,
        bbox=search.bounding_box(bbox),
        updated_since=updated_since,
        q=q,
        include_retired=include_retired,
        min_total_value=min_total_value,
        max_total_value=max_total_value,
        min_land_area_sqft=min_land_area_sqft,
        max_land_area_sqft=max_land_area_sqft,
        min_living_area_sqft=min_living_area_sqft,
        max_living_area_sqft=max_living_area_sqft,
        min_year_built=min_year_built,
        max_year_built=max_year_built,
        attributes=api.prefixed_query(_ATTRIBUTES),
    )
    return answer(
        search.search(county_id, search_filter, sort, count=count, page_size=page_size, page_token=page_token)
    )


@api.get("/v1/counties/{county_id}/sales", permission=Permission.VIEW_PROPERTIES, summary="Sales")
def list_sales(
    county_id: str,
    first_day: FirstDay = None,
    last_day: LastDay = None,
    min_price: Amount = None,
    max_price: Amount = None,
    validity: Annotated[str | None, Query(max_length=200, description="valid, invalid, or a validity code")] = None,
    decision: Annotated[SaleDecisionFilter | None, Query(description="a person's decision, or none")] = None,
    neighborhood: Filter = None,
    property_class: Filter = None,
    property_id: Filter = None,
    sort: Annotated[str | None, Query(max_length=100, description=_sorts(SALE_SORTS))] = None,
    count: Count = False,
    page_size: PageSize = 100,
    page_token: Annotated[str | None, Query()] = None,
) -> Response[CountedPage[ListedSale]]:
    """The county's sales with their ratios, the newest first, or in the order of `sort`."""
    sale_filter = SaleFilter(
        first_day=first_day,
        last_day=last_day,
        min_price=min_price,
        max_price=max_price,
        validity=validity,
        decision=decision,
        neighborhood=neighborhood,
        property_class=property_class,
        property_id=property_id,
    )
    return answer(sales.page(county_id, sale_filter, sort, count=count, page_size=page_size, page_token=page_token))


@api.get("/v1/counties/{county_id}/neighborhoods", permission=Permission.VIEW_PROPERTIES, summary="Neighborhoods")
def list_neighborhoods(
    county_id: str,
    first_day: FirstDay = None,
    last_day: LastDay = None,
    page_size: PageSize = 100,
    page_token: Annotated[str | None, Query()] = None,
) -> Response[Page[Neighborhood]]:
    """The neighborhoods of the current roll by name: parcels and values, valid sales of the period, ratio figures.

    The figures need view_valuation; without it they are null.
    """
    return answer(
        neighborhoods.page(county_id, first_day, last_day, api.caller, page_size=page_size, page_token=page_token)
    )


@api.get(_ONE, permission=Permission.VIEW_PROPERTIES, summary="One property")
def get_property(
    county_id: str,
    property_id: str,
    as_of: AsOf = None,
) -> Response[PropertyDetail]:
    """A property as it is, or as it was known at `as_of`."""
    detail = parcels.detail(county_id, property_id, as_of)
    return answer(detail, version=detail.version)


@api.get(_ONE + "/summary", permission=Permission.VIEW_PROPERTIES, summary="A property with everything around it")
def get_summary(county_id: str, property_id: str) -> Response[PropertyOverview]:
    """All that a page about a property shows: values by year, sales with ratios, owners, the newest value and more.

    Values, flags and ratio figures need view_valuation; without it they are null or empty.
    """
    path = _ONE.format(county_id=county_id, property_id=segment(property_id))
    return answer(overview.overview(county_id, property_id, path, api.caller))


@api.get(_ONE + "/history", permission=Permission.VIEW_PROPERTIES, summary="A property's versions")
def get_history(county_id: str, property_id: str) -> Response[list[PropertyVersion]]:
    """Every version, newest first, with the fields that it changed."""
    return answer(parcels.history(county_id, property_id))


@api.get(_ONE + "/value-explanation", permission=Permission.VIEW_VALUATION, summary="Why a value is what it is")
def explain_value(county_id: str, property_id: str) -> Response[ValueExplanation]:
    """Land, improvement and total value, each with every step that brought it, newest first: the sync with its source,
    the upload, the approved valuation with its model, the appeal with its reason, and the audit trail's event.
    """
    return answer(value_explanation.explain(county_id, property_id))


@api.get(_ONE + "/improvements", permission=Permission.VIEW_PROPERTIES, summary="A property's improvements")
def get_improvements(county_id: str, property_id: str, as_of: AsOf = None) -> Response[list[Improvement]]:
    """The improvements as they are, or as they were known at `as_of`."""
    return answer(improvements.at(county_id, property_id, as_of))


@api.get(
    _ONE + "/improvements/history",
    permission=Permission.VIEW_PROPERTIES,
    summary="The versions of a property's improvements",
)
def get_improvements_history(county_id: str, property_id: str) -> Response[list[ImprovementHistory]]:
    """Every version of every improvement that the property has or had, with the fields that it changed."""
    return answer(improvements.history(county_id, property_id))


@api.get(_ROLL, permission=Permission.VIEW_PROPERTIES, summary="The roll on two days")
def compare_rolls(county_id: str, first: From, second: To) -> Response[RollComparison]:
    """Totals of the roll on both days by property class, and the count of parcels that differ."""
    return answer(comparison.compare(county_id, first, second))


@api.get(_ROLL + "/changes", permission=Permission.VIEW_PROPERTIES, summary="The differences of two days' rolls")
def list_roll_changes(
    county_id: str,
    first: From,
    second: To,
    change: Annotated[RollChange | None, Query()] = None,
    property_class: Filter = None,
    page_size: PageSize = 100,
    page_token: Annotated[str | None, Query()] = None,
) -> Response[Page[ParcelChange]]:
    """The parcels that differ, by id, field by field."""
    roll_filter = from_query(RollFilter, change=change, property_class=property_class)
    return answer(comparison.changes(county_id, first, second, roll_filter, page_size=page_size, page_token=page_token))


@api.get(_ONE + "/sales", permission=Permission.VIEW_PROPERTIES, summary="A property's sales")
def get_sales(county_id: str, property_id: str) -> Response[list[PropertySale]]:
    """The property's transfers, newest first, with the county's validity code."""
    return answer(parcels.sales(county_id, property_id))


@api.patch(_ONE, permission=Permission.EDIT_PROPERTY, summary="Correct a property")
def patch_property(county_id: str, property_id: str, body: PropertyPatch) -> Response[PropertyDetail]:
    """Change characteristics of a property. Needs If-Match with the property's ETag."""
    detail = parcels.correct(county_id, property_id, body, expected_version=api.required_version(), caller=api.caller)
    return answer(detail, version=detail.version)
