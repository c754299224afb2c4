"""Overlaps and gaps between the polygons of a layer."""

from collections.abc import Sequence

import numpy as np
import shapely

from functions.districts.domain.areas import in_feet
from functions.districts.domain.shape_types import Shapes
from functions.districts.schemas import Gap, Overlap, TopologyReport

MAX_POLYGONS = 20_000
MAX_VERTICES = 5_000_000
"""Polygons and vertices of a layer that is checked. Choices: 20,000 squares side by side take a second of a
processor, and more than that are no districts."""
MAX_PAIRS = 400_000
"""Pairs of polygons that are intersected: twenty neighbors of each polygon. A choice."""
MAX_LISTED = 100
"""Overlaps, and gaps, that a report lists. A choice."""
SLIVER_WIDTH_FT = 6.7
"""Mean width below which a piece is a sliver: the accuracy of a map of 1:2,400, 1/30 inch (United States National Map
Accuracy Standards, 1947)."""
MIN_AREA_SQFT = 1.0
"""Least area that is reported. A choice, above what rounding the coordinates of an edge to nine decimals makes."""


def check_topology(ids: Sequence[str], shapes: Shapes) -> TopologyReport:
    """Overlaps between valid polygons, and gaps that they surround."""
    vertices = int(shapely.get_num_coordinates(shapes).sum())
    if len(shapes) > MAX_POLYGONS or vertices > MAX_VERTICES:
        return _unchecked(
            f"{len(shapes):,} polygons with {vertices:,} vertices; {MAX_POLYGONS:,} with {MAX_VERTICES:,} are checked"
        )
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    once = first < second
    first, second = first[once], second[once]
    if len(first) > MAX_PAIRS:
        return _unchecked(f"{len(first):,} pairs of polygons touch: up to {MAX_PAIRS:,} are checked")
    shared = shapely.intersection(shapes[first], shapes[second])
    areas, slivers, points = _measure(shared)
    order = _largest(areas)
    overlaps = [
        Overlap(
            first=ids[first[n]],
            second=ids[second[n]],
            area_sqft=round(float(areas[n]), 1),
            longitude=points[n][0],
            latitude=points[n][1],
            sliver=bool(slivers[n]),
        )
        for n in order[:MAX_LISTED]
    ]
    holes = _holes(shapes)
    hole_areas, hole_slivers, hole_points = _measure(holes)
    hole_order = _largest(hole_areas)
    gaps = [
        Gap(
            area_sqft=round(float(hole_areas[n]), 1),
            longitude=hole_points[n][0],
            latitude=hole_points[n][1],
            sliver=bool(hole_slivers[n]),
        )
        for n in hole_order[:MAX_LISTED]
    ]
    return TopologyReport(
        checked=True,
        overlap_count=len(order),
        overlap_area_sqft=round(float(areas[order].sum()), 1),
        overlaps=overlaps,
        gap_count=len(hole_order),
        gap_area_sqft=round(float(hole_areas[hole_order].sum()), 1),
        gaps=gaps,
    )


def _unchecked(reason: str) -> TopologyReport:
    return TopologyReport(checked=False, reason=reason)


def _holes(shapes: Shapes) -> Shapes:
    """The holes of all polygons together."""
    rings = [ring for part in shapely.get_parts(shapely.union_all(shapes)) for ring in part.interiors]
    holes: Shapes = shapely.polygons(rings) if rings else np.empty(0, dtype=object)
    return holes


def _measure(pieces: Shapes) -> tuple[np.ndarray, np.ndarray, list[tuple[float, float]]]:
    """Areas in square feet, slivers, and a point in each."""
    if len(pieces) == 0:
        return np.zeros(0), np.zeros(0, dtype=bool), []
    flat = in_feet(pieces)
    areas, lengths = shapely.area(flat), shapely.length(flat)
    with np.errstate(divide="ignore", invalid="ignore"):
        slivers = np.where(lengths > 0, 2 * areas / lengths, 0) < SLIVER_WIDTH_FT
    inside = shapely.get_coordinates(shapely.point_on_surface(pieces))
    return areas, slivers, [(round(x, 7), round(y, 7)) for x, y in inside.tolist()]


def _largest(areas: np.ndarray) -> np.ndarray:
    """The places of the areas that are reported, the largest first."""
    order = np.argsort(-areas, kind="stable")
    return order[areas[order] >= MIN_AREA_SQFT]
