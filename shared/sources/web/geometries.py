"""Geometries of web services; one that cannot be read is a fault of its row."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from shared.geo.geometry import Shape
from shared.geo.reference_systems import misplaced

NO_GEOMETRY: Shape = (None, None, None)

Points = Sequence[Sequence[Any]]


def read_geometry_texts(
    rings: Iterable[Points], draw: Callable[[list[list[tuple[float, float]]]], Shape]
) -> Shape | str:
    """The columns that `draw` makes of rings of coordinates (or of one ring with one point), or the fault as a message.

    Coordinates that are all NaN are Esri's empty geometry.
    """
    try:
        coordinates = [[(_number(point[0]), _number(point[1])) for point in ring] for ring in rings]
        numbers = [number for ring in coordinates for point in ring for number in point]
        if all(map(math.isnan, numbers)):
            return NO_GEOMETRY
        wrong = next((number for number in numbers if not math.isfinite(number)), None)
        if wrong is not None:
            return f"the shape has a vertex at {wrong}"
        east, north = numbers[::2], numbers[1::2]
        astray = misplaced(min(east), min(north), max(east), max(north))
        return draw(coordinates) if astray is None else f"the shape {astray}"
    except (TypeError, ValueError, LookupError, ArithmeticError, struct.error) as error:
        return f"the shape cannot be read: {error or 'it is damaged'}"


def _number(value: Any) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError(f"a coordinate is {value!r:.40}")
    return float(value)
