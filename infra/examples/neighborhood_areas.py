"""A map layer for the demo: areas of neighborhoods, made from the positions of their parcels.

The counties' data has no map of districts. Each place is given to the neighborhood of the nearest parcel (a Voronoi
diagram), which is no boundary that anybody has drawn, but fills the map without overlaps or gaps, as districts do.
"""

import json
from pathlib import Path

import numpy as np
import shapely
from pyogrio.raw import read

MARGIN_DEGREES = 0.001
"""Between the outermost parcels and the map's edge, some 100 m. A choice."""


def write_neighborhood_areas(exported: Path, file: Path) -> list[str]:
    """Write the areas of the neighborhoods of an exported layer of parcels as GeoJSON; the neighborhoods' codes."""
    _, _, shapes, (codes,) = read(exported, layer="parcels", columns=["neighborhood"])
    positions, first = np.unique(shapely.get_coordinates(shapely.from_wkb(shapes)), axis=0, return_index=True)
    points = shapely.MultiPoint(positions)
    map_edge = shapely.box(*shapely.bounds(points)).buffer(MARGIN_DEGREES, join_style="mitre")
    cells = shapely.get_parts(shapely.voronoi_polygons(points, extend_to=map_edge, ordered=True))
    areas = {}
    for code in sorted(set(codes[first])):
        area = shapely.intersection(shapely.coverage_union_all(cells[codes[first] == code]), map_edge)
        areas[str(code)] = json.loads(shapely.to_geojson(area))
    features = [
        {"type": "Feature", "geometry": area, "properties": {"code": code, "name": f"Neighborhood {code}"}}
        for code, area in areas.items()
    ]
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return list(areas)
