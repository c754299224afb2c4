"""Routes of counties."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.counties.schemas import (
    County,
    CountySummary,
    DeliveredFile,
    FileAddress,
    FileDelivery,
    MappingRequest,
    OnboardRequest,
)
from functions.counties.service import counties, files
from shared.access import Permission
from shared.api import Api, answer
from shared.counties.configuration import CountyConfiguration
from shared.counties.source_description import INCOMING, Prefix

api = Api("counties")
handler = api.handler

_ONE = "/v1/counties/{county_id}"


@api.get("/v1/counties", permission=Permission.SIGN_IN, summary="My counties")
def list_counties() -> Response[list[CountySummary]]:
    """The caller's counties."""
    return answer(counties.list_counties(api.caller))


@api.post("/v1/counties", permission=Permission.MANAGE_COUNTY, summary="Onboard a county", status=201)
def onboard_county(body: OnboardRequest) -> Response[County]:
    """Take a county in: one whose id the platform's operator gave to the caller, or, with onboard_county, any.

    Where it is new to the caller, renew the access token afterwards: the county is in the new one.
    """
    county = counties.onboard(body, api.caller)
    return answer(county, 201, version=county.version, location=f"/v1/counties/{county.county_id}")


@api.get(_ONE, permission=Permission.SIGN_IN, summary="One county")
def get_county(county_id: str) -> Response[County]:
    """A county with its configuration and mapping."""
    county = counties.get(county_id)
    return answer(county, version=county.version)


@api.put(_ONE + "/configuration", permission=Permission.MANAGE_COUNTY, summary="Replace a county's configuration")
def put_configuration(county_id: str, body: CountyConfiguration) -> Response[County]:
    """Replace the configuration. Needs If-Match with the county's ETag; the schedule follows at once."""
    county = counties.configure(county_id, body, expected_version=api.required_version(), caller=api.caller)
    return answer(county, version=county.version)


@api.put(_ONE + "/mapping", permission=Permission.MANAGE_COUNTY, summary="Replace a county's mapping")
def put_mapping(county_id: str, body: MappingRequest) -> Response[County]:
    """Replace the mapping. Needs If-Match with the county's ETag."""
    county = counties.replace_mapping(
        county_id, body.mapping, expected_version=api.required_version(), caller=api.caller
    )
    return answer(county, version=county.version)


@api.post(_ONE + "/files", permission=Permission.UPLOAD_FILE, summary="Deliver a file", status=201)
def deliver_file(county_id: str, body: FileDelivery) -> Response[FileAddress]:
    """An address to which the file is sent; it lies then where the county's syncs read it."""
    return answer(files.address(county_id, body, api.caller), 201)


@api.get(_ONE + "/files", permission=Permission.VIEW_UPLOADS, summary="Delivered files")
def list_files(
    county_id: str, prefix: Annotated[Prefix, Query(description="as of the configuration's source")] = INCOMING
) -> Response[list[DeliveredFile]]:
    """The files that lie where the county's syncs read them, by name."""
    return answer(files.delivered(county_id, prefix))
