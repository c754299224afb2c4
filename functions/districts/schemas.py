"""Requests and answers of districts."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from shared.counties.source_description import (
    ArcGisDescription,
    FileDescription,
    FilesDescription,
    Prefix,
    SecretName,
    ServiceAddress,
    SocrataDescription,
    SourceDescription,
    SqlDescription,
    TableName,
)
from shared.schemas import RequestSchema, Schema

LayerName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*([_-][a-z0-9]+)*$", max_length=60)]
"""The name of a layer in paths, files and databases: `fire`, `school-2026`."""
LayerKind = Literal["fire", "school", "voting", "tax", "other"]
GeometryType = Literal["point", "line", "polygon", "mixed"]
FieldKind = Literal["text", "integer", "real", "date", "datetime", "boolean"]
Title = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]

SOURCE_TABLE = "layer"
"""The name by which a load's source knows its only table."""


class LayerFile(RequestSchema):
    """A file of the county's, sent as those of its sync are (`POST .../files`)."""

    kind: Literal["file"]
    prefix: Prefix = "incoming"
    file: FileDescription

    @property
    def description(self) -> SourceDescription:
        """The same as a source of one table."""
        return FilesDescription(kind="files", prefix=self.prefix, tables={SOURCE_TABLE: self.file})


class LayerService(RequestSchema):
    """A layer of an ArcGIS REST service, by its number."""

    kind: Literal["arcgis"]
    url: ServiceAddress
    layer: Annotated[int, Field(ge=0)]
    secret_name: SecretName | None = None

    @property
    def description(self) -> SourceDescription:
        """The same as a source of one table."""
        return ArcGisDescription(
            kind="arcgis", url=self.url, layers={SOURCE_TABLE: self.layer}, secret_name=self.secret_name
        )


class LayerDataset(RequestSchema):
    """A dataset of a Socrata site."""

    kind: Literal["socrata"]
    domain: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", max_length=200)]
    dataset: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{4}-[a-z0-9]{4}$")]
    secret_name: SecretName | None = None

    @property
    def description(self) -> SourceDescription:
        """The same as a source of one table."""
        return SocrataDescription(
            kind="socrata", domain=self.domain, datasets={SOURCE_TABLE: self.dataset}, secret_name=self.secret_name
        )


class LayerTable(RequestSchema):
    """A table of a SQL database, or a query: of PostGIS with `ST_AsBinary(ST_Transform(geom, 4326)) AS shape`."""

    kind: Literal["sql"]
    secret_name: SecretName
    table: TableName | None = None
    query: Annotated[str, StringConstraints(min_length=1, max_length=20_000)] | None = None

    @property
    def description(self) -> SourceDescription:
        """The same as a source."""
        return SqlDescription(kind="sql", secret_name=self.secret_name)

    @model_validator(mode="after")
    def _table_or_query(self) -> "LayerTable":
        if (self.table is None) == (self.query is None):
            raise ValueError("give a `table` or a `query`")
        return self


LayerSource = Annotated[LayerFile | LayerService | LayerDataset | LayerTable, Field(discriminator="kind")]


class LayerLoad(RequestSchema):
    """The source that a layer is loaded from, and the day from which it holds (by default today in the county's time
    zone). `key` and `name` are the columns of a feature's identifier and name; without `name` the identifier is shown.
    `shape` is the column with the geometry as well-known binary (hexadecimal) or text, where the source does not give
    it by itself, as tables, CSV and plain Parquet do not.
    """

    title: Title
    kind: LayerKind
    source: LayerSource
    key: TableName
    name: TableName | None = None
    shape: TableName | None = None
    valid_from: date | None = None


class DistrictLoadRequest(LayerLoad):
    """The parameters of a load as a job."""

    layer: LayerName


class LoadPart(Schema):
    """A part of a load that is read by itself: a geographic file."""

    table: str


class LayerField(Schema):
    """An attribute of a layer's features; `title` is the name of the source's column."""

    name: str
    title: str
    kind: FieldKind


class FeatureCounts(Schema):
    """Features by what a load did to them. `kept` are those whose new shape could not be used, so that the former
    version stands.
    """

    added: int
    changed: int
    removed: int
    unchanged: int
    kept: int = 0


class ShapeRepair(Schema):
    """A shape that was not valid, and became so by `make_valid`; areas in square feet."""

    district_id: str
    row: int
    reason: str
    area_sqft_before: float
    area_sqft_after: float


class FeatureRejection(Schema):
    """A feature whose shape cannot be used, by its row in the source, counted from 1."""

    district_id: str
    row: int
    reason: str


class ValueRejection(Schema):
    """A value that could not be read, and is empty in the layer."""

    row: int
    column: str
    reason: str


class Overlap(Schema):
    """A place that two districts share. `sliver`: so narrow that it is a matter of digitizing, not of territory."""

    first: str
    second: str
    area_sqft: float
    longitude: float
    latitude: float
    sliver: bool


class Gap(Schema):
    """A place that districts surround and none has."""

    area_sqft: float
    longitude: float
    latitude: float
    sliver: bool


class TopologyReport(Schema):
    """Overlaps and gaps between the polygons of a layer, the largest first; `overlap_count` and `gap_count` count those
    that are not listed, too. Where `checked` is false, `reason` says why."""

    checked: bool
    reason: str | None = None
    overlap_count: int = 0
    overlap_area_sqft: float = 0
    overlaps: list[Overlap] = Field(default_factory=list)
    gap_count: int = 0
    gap_area_sqft: float = 0
    gaps: list[Gap] = Field(default_factory=list)


class DistrictLoadResults(Schema):
    """The outcome of a load. Where nothing `changed`, the layer's version is the one that it had.

    Lists have their first entries; `rejected_count`, `repaired_count` and `value_fault_count` count all.
    `reversed_count` polygons had outer rings that ran clockwise, which has no meaning: all are stored counterclockwise
    (RFC 7946).
    """

    layer: str
    version: int
    valid_from: date
    changed: bool
    features: FeatureCounts
    rejected: list[FeatureRejection]
    rejected_count: int
    repaired: list[ShapeRepair]
    repaired_count: int
    reversed_count: int
    value_faults: list[ValueRejection]
    value_fault_count: int
    topology: TopologyReport


class LayerSummary(Schema):
    """A layer. One with `closed_on` has no features from that day on."""

    layer: str
    title: str
    kind: LayerKind
    geometry_type: GeometryType
    features: int
    version: int
    valid_from: date
    loaded_by: str
    loaded_at: datetime
    closed_on: date | None
    links: dict[str, str]


class LayerVersion(Schema):
    """A version: the day from which it holds, and its changes; without a `job_id` the layer was closed."""

    version: int
    valid_from: date
    counts: dict[str, int]
    job_id: UUID | None
    created_by: str
    created_at: datetime


class LayerDetail(LayerSummary):
    """A layer with the fields of its features, its source, and its versions, the latest first."""

    fields: list[LayerField]
    source: dict[str, Any]
    versions: list[LayerVersion]


class FoundDistrict(Schema):
    """A district that a place lies in. `on_boundary`: the place is a point of its boundary."""

    district_id: str
    name: str
    attributes: dict[str, Any]
    on_boundary: bool


class LayerAnswer(Schema):
    """The districts of one layer at a place: none where the place lies `outside` them all, several where they overlap.
    A point of a boundary between districts is given to the one whose identifier sorts first.
    """

    layer: str
    title: str
    kind: LayerKind
    outside: bool
    districts: list[FoundDistrict]


class AddressMatch(Schema):
    """A property whose situs address resembles the one that was asked for; `score` is 1 for an address that says the
    same, and falls with each difference."""

    property_id: str
    address: str
    city: str | None
    zip: str | None
    longitude: float | None
    latitude: float | None
    score: float


class LookupAnswer(Schema):
    """Districts at a place on a day. Asked by address, `match` is the property that the place is taken from,
    `ambiguous` says that others match as well, and `alternatives` are the next best."""

    valid_on: date
    longitude: float | None
    latitude: float | None
    match: AddressMatch | None = None
    ambiguous: bool = False
    alternatives: list[AddressMatch] = Field(default_factory=list)
    layers: list[LayerAnswer]


class DistrictParcel(Schema):
    """A parcel of a district."""

    property_id: str
    parcel_number: str | None
    situs_address: str | None
    longitude: float
    latitude: float


class DistrictShare(Schema):
    """A district's share of a parcel's area (0 to 1), and that area in square feet."""

    district_id: str
    name: str
    share: float
    area_sqft: float


class PropertyLayer(Schema):
    """The districts of a parcel in one layer, the largest share first.

    `basis` is `area`, or `point` where the parcel has no polygon, and one district has it whole. The shares and
    `outside_share` sum to 1. `dropped_share` is what districts had of less than the least share, and the others have
    in proportion.
    """

    layer: str
    title: str
    kind: LayerKind
    basis: Literal["area", "point"]
    districts: list[DistrictShare]
    outside_share: float
    dropped_share: float


class PropertyDistricts(Schema):
    """The districts that a property lies in on a day."""

    property_id: str
    valid_on: date
    layers: list[PropertyLayer]
