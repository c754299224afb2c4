"""Routes of counties."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.counties.schemas import (
    County,
    CountyMapping,
    CountySummary,
    CountyVersion,
    DeliveredFile,
    FileAddress,
    FileDelivery,
    MappingRequest,
    OnboardRequest,
)
from functions.counties.service import counties, files, versions
from shared.access import Permission
from shared.api import Api, answer
from shared.api.paging import PageSize
from shared.counties.configuration import CountyConfiguration
from shared.counties.source_description import INCOMING, Prefix
from shared.paging import Page

api = Api("counties")
handler = api.handler

_ONE = "/v1/counties/{county_id}"
Version = Annotated[int | None, Query(ge=1, description="a version of the county; without it that of now")]
PageToken = Annotated[str | None, Query()]


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


@api.get(_ONE + "/configuration", permission=Permission.SIGN_IN, summary="A county's configuration")
def get_configuration(county_id: str, version: Version = None) -> Response[CountyConfiguration]:
    """The configuration as it stands, or stood in a version. Its ETag is the county's, which replacing it needs."""
    configuration, stood = versions.configuration(county_id, version)
    return answer(configuration, version=stood)


@api.get(
    _ONE + "/configuration/versions", permission=Permission.SIGN_IN, summary="Versions of a county's configuration"
)
def list_configuration_versions(
    county_id: str, page_size: PageSize = 100, page_token: PageToken = None
) -> Response[Page[CountyVersion]]:
    """The versions in which the configuration was changed, the newest first: by whom, and when."""
    return answer(versions.page(county_id, "configuration", page_size=page_size, page_token=page_token))


@api.get(_ONE + "/mapping", permission=Permission.SIGN_IN, summary="A county's mapping")
def get_mapping(county_id: str, version: Version = None) -> Response[CountyMapping]:
    """The mapping as it stands, or stood in a version. Its ETag is the county's, which replacing it needs."""
    mapping = versions.mapping(county_id, version)
    return answer(mapping, version=mapping.version)


@api.get(_ONE + "/mapping/versions", permission=Permission.SIGN_IN, summary="Versions of a county's mapping")
def list_mapping_versions(
    county_id: str, page_size: PageSize = 100, page_token: PageToken = None
) -> Response[Page[CountyVersion]]:
    """The versions in which the mapping was changed, the newest first: by whom, and when."""
    return answer(versions.page(county_id, "mapping", page_size=page_size, page_token=page_token))


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
