"""Routes of districts."""

from datetime import date
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.districts.job_kinds import DISTRICT_LOAD
from functions.districts.schemas import (
    DistrictParcel,
    LayerDetail,
    LayerLoad,
    LayerName,
    LayerSummary,
    LookupAnswer,
    PropertyDistricts,
)
from functions.districts.service import layers, load, lookups
from shared.access import Permission
from shared.api import Api, Operation, accepted, answer, declare_job_routes, faults_in_body
from shared.api.paging import PageSize
from shared.jobs import Job
from shared.paging import Page
from shared.problems import Unprocessable

api = Api("districts")
handler = api.handler

_LAYERS = "/v1/counties/{county_id}/district-layers"
_LAYER = _LAYERS + "/{layer}"
ValidOn = Annotated[date | None, Query(alias="date", description="a day; today in the county's time zone by default")]

declare_job_routes(
    api,
    DISTRICT_LOAD,
    get=Operation("get_district_load", "A load's progress", "How the load of a layer goes."),
    results=Operation(
        "get_district_load_results",
        "The outcome of a load",
        "Features added, changed and removed; shapes repaired and rejected; overlaps, gaps and slivers, with places.",
    ),
)


@api.get(_LAYERS, permission=Permission.VIEW_PROPERTIES, summary="The county's layers")
def list_district_layers(county_id: str) -> Response[list[LayerSummary]]:
    """Every layer that was loaded, by name."""
    return answer(layers.all_layers(county_id))


@api.get(_LAYER, permission=Permission.VIEW_PROPERTIES, summary="One layer")
def get_district_layer(county_id: str, layer: str) -> Response[LayerDetail]:
    """A layer with the fields of its features and its versions."""
    detail = layers.one_layer(county_id, layer)
    return answer(detail, version=detail.version)


@api.put(_LAYER, permission=Permission.MANAGE_COUNTY, summary="Load a layer", status=202)
def load_district_layer(county_id: str, layer: LayerName, body: LayerLoad) -> Response[Job]:
    """Load a layer from a source, as a job. What differs from the layer's last version makes a new one, which holds
    from `valid_from` on; the same features again change nothing.
    """
    with faults_in_body():
        job = load.start(county_id, layer, body, caller=api.caller, idempotency_key=api.idempotency_key)
    return accepted(job)


@api.delete(_LAYER, permission=Permission.MANAGE_COUNTY, summary="Close a layer", status=200)
def close_district_layer(
    county_id: str,
    layer: str,
    valid_to: Annotated[
        date | None, Query(description="the day from which it has no features; today by default")
    ] = None,
) -> Response[LayerDetail]:
    """End all features of a layer on a day. Its versions stay, so that lookups for earlier days still know it; loading
    it again opens it. Needs If-Match with the layer's ETag.
    """
    detail = layers.close(county_id, layer, valid_to, expected_version=api.required_version(), caller=api.caller)
    return answer(detail, version=detail.version)


@api.get(_LAYER + "/parcels", permission=Permission.VIEW_PROPERTIES, summary="The parcels of a district")
def list_district_parcels(
    county_id: str,
    layer: str,
    district_id: Annotated[str, Query(min_length=1, max_length=200)],
    day: ValidOn = None,
    page_size: PageSize = 100,
    page_token: Annotated[str | None, Query()] = None,
) -> Response[Page[DistrictParcel]]:
    """Current parcels whose point lies in a district, by property. A page may have fewer items than `page_size`, and
    another after it.
    """
    return answer(lookups.parcels(county_id, layer, district_id, day, page_size=page_size, page_token=page_token))


@api.get(
    "/v1/counties/{county_id}/districts/lookup", permission=Permission.VIEW_PROPERTIES, summary="Districts of a place"
)
def look_up_districts(
    county_id: str,
    longitude: Annotated[float | None, Query(ge=-180, le=180, allow_inf_nan=False)] = None,
    latitude: Annotated[float | None, Query(ge=-90, le=90, allow_inf_nan=False)] = None,
    address: Annotated[str | None, Query(min_length=3, max_length=200)] = None,
    day: ValidOn = None,
    named: Annotated[str | None, Query(alias="layers", max_length=1_000, description="names, with commas")] = None,
) -> Response[LookupAnswer]:
    """The districts at `longitude` and `latitude`, or at the property whose situs address is nearest to `address`:
    abbreviated, misspelled or without its city. Other addresses that match as well are told by `ambiguous`.
    """
    names = [name.strip() for name in (named or "").split(",") if name.strip()]
    if address is not None and longitude is None and latitude is None:
        return answer(lookups.at_address(county_id, address, day, names))
    if address is None and longitude is not None and latitude is not None:
        return answer(lookups.at_coordinates(county_id, longitude, latitude, day, names))
    raise Unprocessable(
        "Give longitude and latitude, or an address.", pointer="/query/address", slug="place-or-address"
    )


@api.get(
    "/v1/counties/{county_id}/properties/{property_id}/districts",
    permission=Permission.VIEW_PROPERTIES,
    summary="The districts of a property",
)
def get_property_districts(county_id: str, property_id: str, day: ValidOn = None) -> Response[PropertyDistricts]:
    """The districts that a property lies in, with each one's share of its area: in a layer of tax areas, the parcel's
    areas for its taxes. Shares and what is outside sum to 1.
    """
    return answer(lookups.of_property(county_id, property_id, day))
