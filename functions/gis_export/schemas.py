"""GIS exports as the API shows them."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from shared.contracts.export_formats import EXPORT_CRS, ExportFormat
from shared.geo.bounding_box import Box, checked_position, checked_wrapping_box
from shared.jobs.download import StoredFile
from shared.schemas import RequestSchema, Schema

WGS84 = "EPSG:4326"
CRS84 = "OGC:CRS84"
MAX_LAYERS = 20
MAX_FILTER = 65_536
MAX_POSITIONS = 10_000
"""A choice: of an area; the outline of a county has some thousands."""
WGS84_FORMATS: frozenset[ExportFormat] = frozenset({"geojson", "kml"})
"""RFC 7946, 4; OGC KML 2.2, 6.2."""

LayerName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Crs = Annotated[str, StringConstraints(pattern=EXPORT_CRS)]
BoundingBox = Annotated[
    Box,
    Field(
        description="[west, south, east, north] in degrees, longitude first whatever `crs` says; a west greater than"
        " the east crosses the 180th meridian"
    ),
    AfterValidator(checked_wrapping_box),
]
Position = Annotated[tuple[float, float], AfterValidator(checked_position)]


def _closed(ring: list[tuple[float, float]]) -> list[tuple[float, float]]:
    if ring[0] != ring[-1]:
        raise ValueError("the last position of a ring is its first (RFC 7946, 3.1.6)")
    if len(set(ring)) < 3:
        raise ValueError("a ring has at least three different positions")
    return ring


Ring = Annotated[list[Position], Field(min_length=4, max_length=MAX_POSITIONS), AfterValidator(_closed)]
PolygonRings = Annotated[list[Ring], Field(min_length=1, max_length=1000)]


class PolygonArea(RequestSchema):
    """A polygon of GeoJSON: its outer ring, and its holes."""

    type: Literal["Polygon"]
    coordinates: PolygonRings


class MultiPolygonArea(RequestSchema):
    """Several polygons of GeoJSON."""

    type: Literal["MultiPolygon"]
    coordinates: Annotated[list[PolygonRings], Field(min_length=1, max_length=1000)]


Area = Annotated[PolygonArea | MultiPolygonArea, Field(discriminator="type")]


def _each_once(layers: list[str]) -> list[str]:
    if len(set(layers)) != len(layers):
        raise ValueError("name each layer once")
    return layers


class GisExportRequest(RequestSchema):
    """Request for an export. `crs` is the coordinates' reference system, in which east or longitude comes first.

    GeoJSON and KML are always WGS 84. `layers` are parcels, sales, values, districts, and those that the county loaded.
    With `bbox` and `area` only what touches both; with `filter` what it selects of each layer.
    """

    layers: Annotated[list[LayerName], Field(min_length=1, max_length=MAX_LAYERS), AfterValidator(_each_once)]
    format: ExportFormat
    crs: Crs = WGS84
    bbox: BoundingBox | None = None
    area: Area | None = None
    filter: Annotated[
        Annotated[str, StringConstraints(min_length=1, max_length=MAX_FILTER)] | dict[str, Any] | None,
        Field(description="CQL2, as text or as JSON, on the columns of each layer and its geometry, `geom`"),
    ] = None

    @model_validator(mode="after")
    def _formats_of_wgs84(self) -> "GisExportRequest":
        if self.format in WGS84_FORMATS and not self.is_wgs84:
            raise ValueError(f"{self.format} knows WGS 84 only: leave out crs, or ask for another format")
        return self

    @model_validator(mode="after")
    def _bounded_area(self) -> "GisExportRequest":
        if self.area is not None and _positions(self.area.coordinates) > MAX_POSITIONS:
            raise ValueError(f"area has more than {MAX_POSITIONS:,} positions")
        return self

    @property
    def is_wgs84(self) -> bool:
        """True if the coordinates stay as they are."""
        return self.crs in (WGS84, CRS84)

    @property
    def epsg_code(self) -> int:
        """The EPSG code of the coordinates' reference system; CRS84 is that of WGS 84, since longitude comes first."""
        return int((WGS84 if self.is_wgs84 else self.crs).removeprefix("EPSG:"))


def _positions(coordinates: Any) -> int:
    if isinstance(coordinates, tuple):
        return 1
    return sum(map(_positions, coordinates))


class LayerResult(Schema):
    """Counts of a layer's rows.

    `features` are in the file; `without_location` rows could not be placed and were left out, and so were those
    `outside_crs`, which the reference system cannot express. Of the shapes, `unreadable` and `empty` ones were passed
    over for the row's point, those that crossed themselves were `repaired`, and rings that ran the wrong way
    `reversed`. `cut_texts` are texts that were too long for a Shapefile.
    """

    name: str
    features: int
    without_location: int
    unreadable: int
    empty: int
    repaired: int
    reversed: int
    outside_crs: int
    cut_texts: int


class GisExportResult(Schema):
    """Results of an export."""

    format: ExportFormat
    crs: str
    layers: list[LayerResult]
    file: StoredFile
