"""The layers that every county has."""

from shared.layers.districts import DISTRICTS
from shared.layers.model import Layer
from shared.layers.parcels import PARCELS
from shared.layers.sales import SALES
from shared.layers.values import VALUES

STATIC_LAYERS: dict[str, Layer] = {layer.name: layer for layer in (PARCELS, SALES, VALUES, DISTRICTS)}
"""The layers of the platform's own tables, by name; `shared.layers.loaded` adds those that a county loaded."""
