"""GIS exports as the API shows them."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from shared.geo.bounding_box import Box, checked_box
from shared.jobs.download import StoredFile
from shared.schemas import RequestSchema, Schema

ExportFormat = Literal["geopackage", "geojson"]
LayerName = Literal["parcels", "sales"]

WGS84 = "EPSG:4326"
CRS84 = "OGC:CRS84"


def _each_once(layers: list[LayerName]) -> list[LayerName]:
    if len(set(layers)) != len(layers):
        raise ValueError("name each layer once")
    return layers


BoundingBox = Annotated[Box, Field(description="[west, south, east, north] in degrees"), AfterValidator(checked_box)]
Crs = Annotated[str, StringConstraints(pattern=r"^(EPSG:[1-9][0-9]{3,5}|OGC:CRS84)$")]


class GisExportRequest(RequestSchema):
    """Request for an export. `crs` is the coordinates' reference system; GeoJSON is always WGS 84 (RFC 7946, 4).

    With `bbox` only what lies in the window: a parcel by its point, as in the search of properties, or by its
    shape when it has no point; a sale by its parcel.
    """

    layers: Annotated[list[LayerName], Field(min_length=1, max_length=2), AfterValidator(_each_once)]
    format: ExportFormat
    crs: Crs = WGS84
    bbox: BoundingBox | None = None

    @model_validator(mode="after")
    def _geojson_is_wgs84(self) -> "GisExportRequest":
        if self.format == "geojson" and not self.is_wgs84:
            raise ValueError("GeoJSON knows WGS 84 only (RFC 7946): leave out crs, or ask for a geopackage")
        return self

    @property
    def is_wgs84(self) -> bool:
        """True if the coordinates stay as they are; longitude comes first in the files, whatever the name."""
        return self.crs in (WGS84, CRS84)


class LayerResult(Schema):
    """Counts of a layer in the file; `without_location` rows could not be placed and were left out."""

    name: LayerName
    features: int
    without_location: int


class GisExportResult(Schema):
    """Results of an export."""

    format: ExportFormat
    crs: str
    layers: list[LayerResult]
    file: StoredFile
