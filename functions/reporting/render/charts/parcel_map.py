"""Maps of parcels: outlines where parcels have them, dots where they are points, with a bar of scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from functions.reporting.domain.contents import Area, Dots, Drawing, Ink, Label, Line, Point, Shape
from functions.reporting.domain.parcel_shapes import MapParcel, MapWindow, Position

_FEET_PER_METER = 1 / 0.3048
_SCALE_LENGTHS_FT = (50, 100, 200, 500, 1000, 2000, 5280, 10_560, 26_400, 52_800, 105_600)
_FEET_PER_MILE = 5280
_SCALE_SHARE = 0.35
"""Of a map's width that its bar of scale may take."""
_FRAME = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0)]


@dataclass(frozen=True)
class MapLayer:
    """Parcels of one color; `label` is that of the legend, `radius` that of parcels that are points."""

    label: str
    ink: Ink
    parcels: Sequence[MapParcel]
    radius: float = 2.0


def parcel_map(
    title: str,
    alternative: str,
    window: MapWindow,
    layers: Sequence[MapLayer],
    *,
    height: float,
    width: float,
    names: Sequence[tuple[Position, str]] = (),
) -> Drawing:
    """A map of the window; later layers lie above earlier ones, and names of positions above all."""
    shapes: list[Shape] = []
    for layer in layers:
        points = []
        for parcel in layer.parcels:
            for rings in parcel.polygons:
                outline: Ink = "quiet" if layer.ink == "pale" else "ink"
                shapes.append(Area([[window.at(point) for point in ring] for ring in rings], layer.ink, outline))
            if not parcel.polygons:
                points.append(window.at(parcel.position))
        if points:
            shapes.append(Dots(points, layer.ink, layer.radius))
    shapes += [Label(_beside(window.at(position)), name) for position, name in names]
    shapes += [*_scale(window), Line(_FRAME, "quiet", 0.5)]
    return Drawing(
        title=title,
        alternative=alternative,
        shapes=shapes,
        height=height,
        width=width,
        margin=2,
        legend=[(layer.ink, layer.label) for layer in layers if layer.parcels],
        is_clipped=True,
    )


def _beside(point: Point) -> Point:
    return point[0] + 0.012, point[1]


def _scale(window: MapWindow) -> list[Shape]:
    width_ft = window.width_m * _FEET_PER_METER
    length = max((feet for feet in _SCALE_LENGTHS_FT if feet <= _SCALE_SHARE * width_ft), default=None)
    if length is None:
        return []
    miles, rest = divmod(length, _FEET_PER_MILE)
    text = f"{length:,} ft" if rest else f"{miles} mi"
    bar = [(0.03, 0.04), (0.03 + length / width_ft, 0.04)]
    return [Line(bar, "ink", 2), Label((0.03, 0.08), text)]
