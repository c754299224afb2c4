"""Coordinates of WGS 84 in other reference systems.

Between WGS 84 and NAD83 and its realisations no shift grids are used: positions agree within a metre or two.
"""

from pathlib import Path

import numpy as np
import shapely
from pyogrio import raw

from functions.gis_export.domain.shapes import Shapes, only


def transform(shapes: Shapes, code: int, folder: Path) -> Shapes:
    """Coordinates of WGS 84 in another system, east first; None for what it cannot express.

    GDAL's GeoPackage driver does it (`ST_Transform`), on a scratch file in `folder`.
    """
    scratch = folder / "transform.gpkg"
    try:
        raw.write(
            scratch,
            shapely.to_wkb(shapes),
            [np.arange(shapes.size, dtype=np.int32)],
            ["place"],
            layer="shapes",
            driver="GPKG",
            geometry_type="Unknown",
            crs="EPSG:4326",
            layer_options={"SPATIAL_INDEX": "NO"},
        )
        sql = f"SELECT place, ST_Transform(geom, {code}) AS geom FROM shapes"  # noqa: S608 - a whole number
        _, _, transformed, (projected,) = raw.read(scratch, sql=sql)
    finally:
        scratch.unlink(missing_ok=True)
    result = np.full(shapes.size, None, dtype=object)
    result[projected] = shapely.from_wkb(transformed)
    bounds = shapely.bounds(result)
    return only(result, np.isfinite(bounds).all(axis=1))
