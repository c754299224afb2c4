"""The layers that a caller may read, as collections."""

from dataclasses import dataclass

from sqlalchemy import Connection

from functions.features import repository
from shared.access import Caller
from shared.counties.open_collections import open_collections
from shared.db import unit_of_work
from shared.db.tenancy import require_onboarded
from shared.layers import STATIC_LAYERS, Layer
from shared.layers.loaded import read_layers
from shared.problems import NotFound

_INSTANTS = {"parcels": "updated_at", "sales": "sale_date", "values": "valuation_date", "districts": "valid_from"}
"""The property that the parameter datetime asks for, of each layer that every county has."""


@dataclass(frozen=True)
class CollectionView:
    """A layer, and the bounds of its features (west, south, east, north); None without features."""

    layer: Layer
    extent: tuple[float, float, float, float] | None


def collections(county_id: str, caller: Caller) -> list[CollectionView]:
    """The collections that the caller may read. Raises NotFound for a county that is not onboarded."""
    with unit_of_work(county_id) as connection:
        layers = readable_layers(connection, county_id, caller)
        return [CollectionView(layer, _extent(connection, county_id, layer)) for layer in layers.values()]


def collection(county_id: str, collection_id: str, caller: Caller) -> CollectionView:
    """A collection. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        layer = require_layer(connection, county_id, collection_id, caller)
        return CollectionView(layer, _extent(connection, county_id, layer))


def layer_of(county_id: str, collection_id: str, caller: Caller) -> Layer:
    """A collection's layer. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        return require_layer(connection, county_id, collection_id, caller)


def readable_layers(connection: Connection, county_id: str, caller: Caller) -> dict[str, Layer]:
    """The layers that the caller may read, by name: without credentials those that the county has opened."""
    require_onboarded(connection, county_id)
    layers = read_layers(connection, county_id)
    if caller.is_anonymous:
        opened = open_collections(connection, county_id)
        return {name: layer for name, layer in layers.items() if name in opened}
    return {name: layer for name, layer in layers.items() if caller.may(county_id, layer.permission)}


def require_layer(connection: Connection, county_id: str, collection_id: str, caller: Caller) -> Layer:
    """The layer of a collection. Raises NotFound, also where the caller may not read it."""
    layer = readable_layers(connection, county_id, caller).get(collection_id)
    if layer is None:
        raise NotFound(f"{county_id} has no collection {collection_id[:100]!r}.", slug="collection-not-found")
    return layer


def instant_of(layer: Layer) -> str | None:
    """The property that the parameter datetime asks for: of a loaded layer the first date or time, if it has any."""
    if layer.name in _INSTANTS and STATIC_LAYERS.get(layer.name) is layer:
        return _INSTANTS[layer.name]
    return next((column.name for column in layer.columns if column.kind in ("date", "datetime")), None)


def _extent(connection: Connection, county_id: str, layer: Layer) -> tuple[float, float, float, float] | None:
    """Values lie where their parcels do, which takes no look at the runs."""
    if layer is STATIC_LAYERS["values"]:
        layer = STATIC_LAYERS["parcels"]
    return repository.extent(connection, county_id, layer)
