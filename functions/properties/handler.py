"""Routes of properties."""

from datetime import date, datetime
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import AwareDatetime

from functions.properties import service
from functions.properties.schemas import (
    PropertyDetail,
    PropertyFilter,
    PropertyPatch,
    PropertySale,
    PropertySummary,
    PropertyVersion,
)
from shared.access import Permission
from shared.api import Api, answer
from shared.paging import Page, PageSize

api = Api("properties")
handler = api.handler

_ONE = "/v1/counties/{county_id}/properties/{property_id}"
Filter = Annotated[str | None, Query(max_length=200)]


@api.get("/v1/counties/{county_id}/properties", permission=Permission.VIEW_PROPERTIES, summary="Search properties")
def search_properties(
    county_id: str,
    parcel_number: Filter = None,
    property_class: Filter = None,
    neighborhood: Filter = None,
    bbox: Annotated[str | None, Query(description="west,south,east,north in degrees")] = None,
    updated_since: Annotated[AwareDatetime | None, Query()] = None,
    q: Annotated[str | None, Query(max_length=200, description="words of the address")] = None,
    include_retired: Annotated[bool, Query()] = False,
    page_size: PageSize = 100,
    page_token: Annotated[str | None, Query()] = None,
) -> Response[Page[PropertySummary]]:
    """Properties by id; every filter that is given must hold."""
    wanted = PropertyFilter(
        parcel_number=parcel_number,
        property_class=property_class,
        neighborhood=neighborhood,
        bbox=service.bounding_box(bbox),
        updated_since=updated_since,
        q=q,
        include_retired=include_retired,
    )
    return answer(service.search(county_id, wanted, page_size=page_size, page_token=page_token))


@api.get(_ONE, permission=Permission.VIEW_PROPERTIES, summary="One property")
def get_property(
    county_id: str,
    property_id: str,
    as_of: Annotated[date | datetime | None, Query(description="a day (its end, UTC) or a moment")] = None,
) -> Response[PropertyDetail]:
    """A property as it is, or as it was known at `as_of`."""
    found = service.detail(county_id, property_id, as_of)
    return answer(found, version=found.version)


@api.get(_ONE + "/history", permission=Permission.VIEW_PROPERTIES, summary="A property's versions")
def get_history(county_id: str, property_id: str) -> Response[list[PropertyVersion]]:
    """Every version, newest first, with the fields that it changed."""
    return answer(service.history(county_id, property_id))


@api.get(_ONE + "/sales", permission=Permission.VIEW_PROPERTIES, summary="A property's sales")
def get_sales(county_id: str, property_id: str) -> Response[list[PropertySale]]:
    """The property's transfers, newest first, with the county's validity code."""
    return answer(service.sales(county_id, property_id))


@api.patch(_ONE, permission=Permission.EDIT_PROPERTY, summary="Correct a property")
def patch_property(county_id: str, property_id: str, body: PropertyPatch) -> Response[PropertyDetail]:
    """Change characteristics of a property. Needs If-Match with the property's ETag."""
    found = service.correct(county_id, property_id, body, expected_version=api.required_version(), caller=api.caller)
    return answer(found, version=found.version)
