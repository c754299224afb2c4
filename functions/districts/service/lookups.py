"""Lookups: the districts of a place, of an address and of a property, and the parcels of a district."""

from collections.abc import Sequence
from datetime import date
from itertools import groupby

from sqlalchemy import Connection

from functions.districts.repository import lookups as repository
from functions.districts.repository.lookups import LookupLayer, Parcel, StoredFeature
from functions.districts.schemas import (
    DistrictParcel,
    DistrictShare,
    FoundDistrict,
    LayerAnswer,
    LookupAnswer,
    PropertyDistricts,
    PropertyLayer,
)
from functions.districts.service.address_search import find_address
from functions.districts.service.layers import missing_layer
from functions.districts.service.valid_days import day_or_today
from shared.db import reading
from shared.db.tenancy import require_onboarded
from shared.paging import Page, decode_token, encode_token
from shared.problems import NotFound, Unprocessable

MAX_SCANNED = 20_000
"""Parcels near a district that a page looks at: a page may have fewer items than it could. A choice: 100 ms."""


def at_coordinates(
    county_id: str, longitude: float, latitude: float, day: date | None, layers: Sequence[str]
) -> LookupAnswer:
    """The districts of layers, by default of all, at a place. Raises NotFound for a layer that the county lacks."""
    with reading(county_id) as connection:
        valid_on = day_or_today(connection, county_id, day)
        answers = _at(connection, county_id, longitude, latitude, valid_on, layers)
    return LookupAnswer(valid_on=valid_on, longitude=longitude, latitude=latitude, layers=answers)


def at_address(county_id: str, address: str, day: date | None, layers: Sequence[str]) -> LookupAnswer:
    """The districts at the property whose situs address is nearest to a text. Raises as `find_address`, and as
    `at_coordinates`; and Unprocessable where nobody knows where that property lies.
    """
    with reading(county_id) as connection:
        valid_on = day_or_today(connection, county_id, day)
        answer = find_address(connection, county_id, address)
        longitude, latitude = answer.match.longitude, answer.match.latitude
        if longitude is None or latitude is None:
            raise Unprocessable(
                f"{answer.match.address} is the address of the property {answer.match.property_id}, whose coordinates"
                " the county's data lacks.",
                pointer="/query/address",
                slug="property-without-coordinates",
            )
        answers = _at(connection, county_id, longitude, latitude, valid_on, layers)
    return LookupAnswer(
        valid_on=valid_on,
        longitude=longitude,
        latitude=latitude,
        match=answer.match,
        ambiguous=answer.ambiguous,
        alternatives=answer.alternatives,
        layers=answers,
    )


def parcels(
    county_id: str, layer: str, district_id: str, day: date | None, *, page_size: int, page_token: str | None
) -> Page[DistrictParcel]:
    """A page of the current parcels whose point lies in a district, or on its boundary, by property.

    Raises NotFound for a district that the layer lacks on that day.
    """
    query = [county_id, layer, district_id, day]
    key = decode_token(query, page_token, str)
    after = str(key[0]) if key else ""
    with reading(county_id) as connection:
        valid_on = day_or_today(connection, county_id, day)
        feature = repository.feature(connection, county_id, layer, district_id, valid_on)
        if feature is None:
            require_onboarded(connection, county_id)
            _polygon_layers(connection, county_id, [layer])
            raise NotFound(f"The layer {layer} has no district {district_id} on {valid_on}.", slug="district-not-found")
        items, more = _parcels_of(connection, county_id, feature, after, page_size)
    return Page(items=items[0], next_page_token=encode_token(query, [items[1]]) if more else None)


def of_property(county_id: str, property_id: str, day: date | None) -> PropertyDistricts:
    """The districts that a current property lies in, each with its share of the area. Raises NotFound."""
    with reading(county_id) as connection:
        valid_on = day_or_today(connection, county_id, day)
        parcel = repository.parcel(connection, county_id, property_id)
        if parcel is None:
            require_onboarded(connection, county_id)
            raise NotFound(f"{county_id} has no current property {property_id}.", slug="property-not-found")
        layers = repository.polygon_layers(connection, county_id, ())
        return PropertyDistricts(
            property_id=property_id,
            valid_on=valid_on,
            layers=_shares(connection, county_id, parcel, layers, valid_on),
        )


def _at(
    connection: Connection, county_id: str, longitude: float, latitude: float, day: date, named: Sequence[str]
) -> list[LayerAnswer]:
    layers = _polygon_layers(connection, county_id, named)
    if not layers:
        require_onboarded(connection, county_id)
        return []
    box = (longitude, latitude, longitude, latitude)
    features = repository.features_at(connection, county_id, [layer.layer for layer in layers], box, day)
    by_layer = {name: list(group) for name, group in groupby(features, lambda feature: feature.layer)}
    return [_layer_answer(layer, longitude, latitude, by_layer.get(layer.layer, [])) for layer in layers]


def _layer_answer(
    layer: LookupLayer, longitude: float, latitude: float, features: Sequence[StoredFeature]
) -> LayerAnswer:
    from functions.districts.domain.places import holding  # shapely and NumPy: a quarter of a cold start

    found = holding(longitude, latitude, [feature.geometry for feature in features]) if features else []
    districts = [
        FoundDistrict(
            district_id=features[place].district_id,
            name=features[place].name,
            attributes=features[place].attributes,
            on_boundary=on_boundary,
        )
        for place, on_boundary in found
    ]
    return LayerAnswer(
        layer=layer.layer, title=layer.title, kind=layer.kind, outside=not districts, districts=districts
    )


def _polygon_layers(connection: Connection, county_id: str, named: Sequence[str]) -> list[LookupLayer]:
    """The named layers, by default all. Raises NotFound for one that the county lacks, or that has no polygons."""
    layers = repository.polygon_layers(connection, county_id, named)
    known = {layer.layer for layer in layers}
    for name in named:
        if name not in known:
            require_onboarded(connection, county_id)
            raise missing_layer(county_id, f"{name} with polygons")
    return layers


def _parcels_of(
    connection: Connection, county_id: str, feature: StoredFeature, after: str, page_size: int
) -> tuple[tuple[list[DistrictParcel], str], bool]:
    """Parcels in a polygon with the last property looked at, and whether there may be more."""
    from functions.districts.domain.places import polygon_of

    polygon = polygon_of(feature.geometry)
    items: list[DistrictParcel] = []
    if polygon is None:
        return (items, after), False
    scanned = 0
    while scanned < MAX_SCANNED:
        limit = max(page_size, 1_000)
        near = repository.parcels_in_box(connection, county_id, polygon.bounds, after, limit)
        for parcel, is_inside in zip(
            near, polygon.holds([(each.longitude, each.latitude) for each in near]), strict=True
        ):
            if is_inside and len(items) == page_size:
                return (items, after), True
            after = parcel.property_id
            if is_inside:
                items.append(parcel)
        if len(near) < limit:
            return (items, after), False
        scanned += len(near)
    return (items, after), True


def _shares(
    connection: Connection, county_id: str, parcel: Parcel, layers: Sequence[LookupLayer], day: date
) -> list[PropertyLayer]:
    from functions.districts.domain import places

    shape = places.parcel_polygon(parcel.geometry)
    if shape is not None:
        west, south, east, north = shape.bounds
        box = (west, south, east, north)
    elif parcel.longitude is not None and parcel.latitude is not None:
        box = (parcel.longitude, parcel.latitude, parcel.longitude, parcel.latitude)
    else:
        return []
    features = repository.features_at(connection, county_id, [layer.layer for layer in layers], box, day)
    by_layer = {name: list(group) for name, group in groupby(features, lambda feature: feature.layer)}
    total_sqft = places.area_sqft(shape) if shape is not None else 0.0
    answers = []
    for layer in layers:
        own = by_layer.get(layer.layer, [])
        geometries = [feature.geometry for feature in own]
        if shape is not None:
            areas, outside, dropped = places.without_slivers(*places.shares(shape, geometries))
        else:
            held = {place for place, _ in places.holding(box[0], box[1], geometries)}
            areas = [1 / len(held) if place in held else 0.0 for place in range(len(own))]
            outside, dropped = (0.0, 0.0) if held else (1.0, 0.0)
        districts = [
            DistrictShare(
                district_id=feature.district_id, name=feature.name, share=share, area_sqft=round(share * total_sqft, 1)
            )
            for feature, share in zip(own, areas, strict=True)
            if share > 0
        ]
        answers.append(
            PropertyLayer(
                layer=layer.layer,
                title=layer.title,
                kind=layer.kind,
                basis="point" if shape is None else "area",
                districts=sorted(districts, key=lambda district: (-district.share, district.district_id)),
                outside_share=outside,
                dropped_share=dropped,
            )
        )
    return answers
