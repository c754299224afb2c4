"""Requests for GIS exports: what the caller may see, what the county allows, what there is."""

from __future__ import annotations

from uuid import UUID

from functions.gis_export.domain.windows import Window, area_sq_km, box_sq_km
from functions.gis_export.job_kinds import GIS_EXPORT
from functions.gis_export.repository import counties, selections
from functions.gis_export.repository.selections import Selection
from functions.gis_export.schemas import CRS84, WGS84, GisExportRequest
from shared import jobs
from shared.access import Caller
from shared.counties.configuration import GisExportSettings
from shared.db import unit_of_work
from shared.jobs.download import download_url
from shared.layers import STATIC_LAYERS, Layer
from shared.layers.loaded import read_layers
from shared.problems import Unprocessable


def check(county_id: str, request: GisExportRequest, caller: Caller) -> None:
    """Check a request against the caller's permissions, the county's layers and limits, and the EPSG dataset.

    Raises Forbidden for a layer that asks for a permission which the caller lacks, Unprocessable with a pointer.
    """
    _require_permissions(county_id, request, caller)
    with unit_of_work(county_id) as connection:
        settings = counties.settings(connection, county_id)
        _require_allowed(request, settings)
        layers = read_layers(connection, county_id)
        for number, name in enumerate(request.layers):
            if name not in layers:
                raise Unprocessable(
                    f"The county has no layer {name}; there are: {', '.join(sorted(layers))}.",
                    pointer=f"/body/layers/{number}",
                    slug="layer-unknown",
                )
    _require_sound(request)
    selected = [_selection(county_id, layers[name], request) for name in request.layers]
    with unit_of_work(county_id) as connection:
        for number, (name, selection) in enumerate(zip(request.layers, selected, strict=True)):
            if selections.has_more_than(connection, selection, settings.max_rows):
                raise too_many_rows(name, settings.max_rows, f"/body/layers/{number}")


def download_address(county_id: str, export_id: UUID, caller: Caller) -> str:
    """A signed address of an export's file.

    Raises Forbidden where it holds a layer that the caller may not see, NotFound, Conflict while it has not succeeded.
    """
    job = jobs.get(county_id, GIS_EXPORT, export_id)
    _require_permissions(county_id, GisExportRequest.model_validate(job.parameters), caller)
    return download_url(county_id, GIS_EXPORT, export_id)


def too_many_rows(layer: str, limit: int, pointer: str | None = None) -> Unprocessable:
    """The refusal of a layer with more rows than the county allows."""
    return Unprocessable(
        f"The layer {layer} has more than {limit:,} rows there, which are the most that the county exports: ask for a"
        " part of it (bbox, area, filter).",
        pointer=pointer,
        slug="export-too-large",
    )


def _require_permissions(county_id: str, request: GisExportRequest, caller: Caller) -> None:
    for name in request.layers:
        layer = STATIC_LAYERS.get(name)
        if layer is not None:  # those that a county loaded ask for what the route asks for
            caller.require(layer.permission)
            caller.require_county(county_id, layer.permission)


def _require_allowed(request: GisExportRequest, settings: GisExportSettings) -> None:
    """Raise Unprocessable for what the county's settings exclude."""
    if request.format not in settings.formats:
        raise _excluded(f"exports {', '.join(settings.formats)}, and not {request.format}", "format")
    allowed = settings.crs
    if allowed is not None and request.crs not in allowed and not (request.is_wgs84 and {WGS84, CRS84} & set(allowed)):
        raise _excluded(f"exports in {', '.join(allowed)}, and not in {request.crs}", "crs")
    limit = settings.max_sq_km
    if limit is None:
        return
    boxes = [] if request.bbox is None else [("bbox", box_sq_km(request.bbox))]
    areas = [] if request.area is None else [("area", area_sq_km(request.area))]
    if not boxes and not areas:
        raise _excluded(f"exports at most {limit:,g} square kilometres at a time: give bbox or area", "bbox")
    name, size = min((*boxes, *areas), key=lambda part: part[1])
    if size > limit:
        raise _excluded(f"exports at most {limit:,g} square kilometres at a time; these are {size:,.0f}", name)


def _excluded(what: str, member: str) -> Unprocessable:
    return Unprocessable(
        f"The county {what} (plugin_settings.gis_export).", pointer=f"/body/{member}", slug="export-limit"
    )


def _selection(county_id: str, layer: Layer, request: GisExportRequest) -> Selection:
    """The selection of a layer's rows. Raises Unprocessable for a filter that does not fit it."""
    window = Window.of(request)
    if request.filter is None:
        return Selection(county_id, layer, window)
    # imported here: it brings the parser, and few requests have a filter
    from functions.gis_export.service.filters import filter_of

    return Selection(county_id, layer, window, filter_of(layer, request.filter))


def _require_sound(request: GisExportRequest) -> None:
    """Raise Unprocessable for a reference system that no map can have, and an area that crosses itself."""
    # imported here: they bring NumPy, and only submitting an export needs them
    from functions.gis_export.domain import reference_systems
    from functions.gis_export.domain.area_check import require_valid

    if not request.is_wgs84:
        reference_systems.find(request.epsg_code)
    if request.area is not None:
        require_valid(request.area)
