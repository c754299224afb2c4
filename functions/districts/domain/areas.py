"""Areas and widths of shapes in degrees: feet on a plane that touches the ellipsoid where the shape lies.

A degree's length by the radii of curvature of WGS 84 (NGA.STND.0036, table 3.1: semi-major axis and flattening).
Within a county the plane is off by less than a thousandth.
"""

import math

import numpy as np
import shapely
from numpy.typing import NDArray

from functions.districts.domain.shape_types import Shapes

_SEMI_MAJOR_AXIS_M = 6_378_137.0
_FLATTENING = 1 / 298.257223563
_FOOT_M = 0.3048


def in_feet(shapes: Shapes) -> Shapes:
    """Shapes in feet, each on the plane at the middle of its bounds; only sizes mean anything."""
    bounds = shapely.bounds(shapes)
    east, north = feet_per_degree((bounds[:, 1] + bounds[:, 3]) / 2)
    coordinates, of_shape = shapely.get_coordinates(shapes, return_index=True)
    placed = np.column_stack([coordinates[:, 0] * east[of_shape], coordinates[:, 1] * north[of_shape]])
    flat: Shapes = shapely.set_coordinates(shapes.copy(), placed)
    return flat


def feet_per_degree(latitude: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Feet in a degree of longitude, and of latitude."""
    squared_eccentricity = _FLATTENING * (2 - _FLATTENING)
    phi = np.radians(latitude)
    curvature = 1 - squared_eccentricity * np.sin(phi) ** 2
    prime_vertical = _SEMI_MAJOR_AXIS_M / np.sqrt(curvature)
    meridian = _SEMI_MAJOR_AXIS_M * (1 - squared_eccentricity) / curvature**1.5
    degree_ft = math.radians(1) / _FOOT_M
    return prime_vertical * np.cos(phi) * degree_ft, meridian * degree_ft


def areas_sqft(shapes: Shapes) -> NDArray[np.float64]:
    """Areas in square feet."""
    areas: NDArray[np.float64] = shapely.area(in_feet(shapes))
    return areas
