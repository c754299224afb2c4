"""Descriptions of sources: the part of a county's configuration that says where its data comes from.

Connections and credentials are no part of it: they are in the secret that it names.
"""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from shared.schemas import RequestSchema, Schema

SecretName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9/_+=.@-]{1,200}$")]
"""The name of a secret in Secrets Manager, never its ARN: a name says whose it is."""
TableName = Annotated[str, StringConstraints(min_length=1, max_length=128)]
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_(][A-Za-z0-9_ .()-]{0,199}$")]
"""The name of an object below the county's prefix: no folders, so no way out of them."""
Encoding = Literal["utf-8", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1", "cp437"]
OneCharacter = Annotated[str, StringConstraints(min_length=1, max_length=1, pattern=r'^[^\r\n"]$')]


def _service_address(url: str) -> str:
    if not re.fullmatch(r"https://[^\s/?#@\\]+(?:/[^\s?#@\\]*)?/(?:Feature|Map)Server/?", url):
        raise ValueError(
            "the url of an ArcGIS service begins with https:// and ends in FeatureServer or MapServer; it holds no"
            " user, no password and no query: a token belongs into the secret"
        )
    return url


ServiceAddress = Annotated[str, StringConstraints(max_length=500), AfterValidator(_service_address)]
"""The address of an ArcGIS REST service."""

SECRET_PREFIX = "terrafusion/"  # noqa: S105 - the beginning of a name
"""Of all names of counties' secrets, as configurations call them."""


def secret_prefix(county_id: str) -> str:
    """The prefix of the names of a county's secrets."""
    return f"{SECRET_PREFIX}{county_id}/"


def is_secret_of(county_id: str, name: str) -> bool:
    """True for a secret's name below the county's prefix, also after dots are resolved."""
    prefix = secret_prefix(county_id)
    parts = name.removeprefix(prefix).split("/")
    return name.startswith(prefix) and not {"", ".", ".."} & set(parts)


class SqlDescription(RequestSchema):
    """A SQL database; `secret_name` is the secret with dialect, host, port, dbname, username, password, sslmode."""

    kind: Literal["sql"] = "sql"
    secret_name: SecretName


class CsvFile(RequestSchema):
    """Delimited text. A byte order mark decides the encoding before `encoding` does. Without a `header` line,
    `columns` names the fields in their order. A record with another number of fields than that is rejected with its
    line; Ctrl-Z at the end of the file is no data.
    """

    format: Literal["csv"] = "csv"
    file: FileName
    delimiter: OneCharacter = ","
    quote: Annotated[str, StringConstraints(min_length=1, max_length=1)] | None = '"'
    encoding: Encoding = "utf-8"
    header: bool = True
    columns: Annotated[tuple[TableName, ...], Field(max_length=2_000)] = ()

    @model_validator(mode="after")
    def _named_fields(self) -> "CsvFile":
        if self.header == bool(self.columns):
            raise ValueError("give `columns` where `header` is false, and only there")
        if self.delimiter == self.quote:
            raise ValueError("`delimiter` and `quote` have to differ")
        return self


class FixedColumn(RequestSchema):
    """A field of fixed width; `start` counts characters from 1."""

    name: TableName
    start: Annotated[int, Field(ge=1, le=100_000)]
    length: Annotated[int, Field(ge=1, le=100_000)]


class FixedWidthFile(RequestSchema):
    """Text with fields of fixed width; `skip_lines` lines at its beginning are no rows. A field of blanks,
    or of NULs (a mainframe's LOW-VALUES), is NULL.
    """

    format: Literal["fixed_width"]
    file: FileName
    encoding: Encoding = "utf-8"
    columns: Annotated[tuple[FixedColumn, ...], Field(min_length=1, max_length=2_000)]
    skip_lines: Annotated[int, Field(ge=0, le=100)] = 0


class XlsxFile(RequestSchema):
    """A sheet of a workbook (without `sheet` the first visible one with names of columns, which stand in line
    `header_line`). An error in a cell, and a formula that was never calculated, reject the rows that a field reads
    them from, or warn, as the field says (`unreadable`).
    """

    format: Literal["xlsx"]
    file: FileName
    sheet: TableName | None = None
    header_line: Annotated[int, Field(ge=1, le=100)] = 1


class ParquetFile(RequestSchema):
    """A Parquet file. A binary column is text where all of its values are readable UTF-8, and hexadecimal otherwise."""

    format: Literal["parquet"]
    file: FileName


class GeographicFile(RequestSchema):
    """The common settings of files of geographic information systems. `layer` names one, where there are several;
    `crs` is the reference system (`EPSG:2285`, `ESRI:102748`) of a file that does not say its own, or says a wrong one.
    """

    file: FileName
    layer: TableName | None = None
    crs: Annotated[str, StringConstraints(pattern=r"^(EPSG|ESRI|OGC):[A-Za-z0-9]{1,12}$")] | None = None


class ShapeFile(GeographicFile):
    """A zipped Shapefile (.shp, .shx, .dbf and .prj in one archive). Read as GDAL reads it, as are all geographic
    files: beside its attributes a row has `SHAPE_WKB`, and `SHAPE_LONGITUDE` and `SHAPE_LATITUDE` of a point in the
    shape, brought to degrees (WGS 84). `layer` names one where there are several; `crs` (`EPSG:2285`) is the
    reference system of a file that does not say its own, or says a wrong one. Without `encoding` the .cpg or the
    language byte of the .dbf decides.
    """

    format: Literal["shapefile"]
    encoding: Encoding | None = None


class GeoPackageFile(GeographicFile):
    """A GeoPackage, read as a Shapefile is."""

    format: Literal["geopackage"]


class FileGeodatabaseFile(GeographicFile):
    """A File Geodatabase: its folder (.gdb) zipped. Curves become lines of short segments."""

    format: Literal["file_geodatabase"]


class KmlFile(GeographicFile):
    """KML or KMZ; its folders are its layers."""

    format: Literal["kml"]


class GeoJsonFile(GeographicFile):
    """GeoJSON: a collection of features, in WGS 84 unless it says otherwise."""

    format: Literal["geojson"]


class FlatGeobufFile(GeographicFile):
    """FlatGeobuf."""

    format: Literal["flatgeobuf"]


FileDescription = Annotated[
    CsvFile
    | FixedWidthFile
    | XlsxFile
    | ParquetFile
    | ShapeFile
    | GeoPackageFile
    | FileGeodatabaseFile
    | KmlFile
    | GeoJsonFile
    | FlatGeobufFile,
    Field(discriminator="format"),
]


FileFormat = Literal[
    "csv",
    "fixed_width",
    "xlsx",
    "parquet",
    "shapefile",
    "geopackage",
    "file_geodatabase",
    "kml",
    "geojson",
    "flatgeobuf",
]
"""The formats of files, as descriptions name them."""

INCOMING = "incoming"
"""The default folder of a county's files in its part of the data bucket."""


Prefix = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,60}$")]


class FilesDescription(RequestSchema):
    """Files in the county's part of the data bucket, below `prefix`. `tables` says by which name a mapping knows a
    file (`source_table_name`) and how it is read. CSV and fixed width may be compressed (.gz, or one file in a .zip).

    Beside its own columns each row has `_row_number`, counted from 1, which can be the key of a file that has none. It
    is a poor one: when a row is inserted or the file sorted otherwise, every later row is taken for another.
    """

    kind: Literal["files"]
    prefix: Prefix = INCOMING
    tables: Annotated[dict[TableName, FileDescription], Field(min_length=1, max_length=50)]


class ArcGisDescription(RequestSchema):
    """An ArcGIS REST service: `url` ends in FeatureServer or MapServer; `layers` are its layers' numbers by the names
    that mappings use. `secret_name` is the secret with a `token`, where the service asks for one. Shapes are as of a
    Shapefile, in WGS 84 in any case.
    """

    kind: Literal["arcgis"]
    url: ServiceAddress
    layers: Annotated[dict[TableName, Annotated[int, Field(ge=0)]], Field(min_length=1, max_length=50)]
    secret_name: SecretName | None = None


class SocrataDescription(RequestSchema):
    """Open data of a Socrata site: `datasets` are the identifiers (abcd-1234) by the names that mappings use.
    `secret_name` is the secret with an `app_token`; without one the site throttles.

    Beside its own columns a row has `:id`, `:created_at` and `:updated_at` (a watermark), and the shape of the first
    geometry as of a Shapefile.
    """

    kind: Literal["socrata"]
    domain: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", max_length=200)]
    datasets: Annotated[
        dict[TableName, Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{4}-[a-z0-9]{4}$")]],
        Field(min_length=1, max_length=50),
    ]
    secret_name: SecretName | None = None


SourceDescription = Annotated[
    SqlDescription | FilesDescription | ArcGisDescription | SocrataDescription, Field(discriminator="kind")
]

KINDS: dict[str, type[Schema]] = {
    "sql": SqlDescription,
    "files": FilesDescription,
    "arcgis": ArcGisDescription,
    "socrata": SocrataDescription,
}
FORMATS: dict[FileFormat, type[Schema]] = {
    "csv": CsvFile,
    "fixed_width": FixedWidthFile,
    "xlsx": XlsxFile,
    "parquet": ParquetFile,
    "shapefile": ShapeFile,
    "geopackage": GeoPackageFile,
    "file_geodatabase": FileGeodatabaseFile,
    "kml": KmlFile,
    "geojson": GeoJsonFile,
    "flatgeobuf": FlatGeobufFile,
}
"""The descriptions by the names that a configuration uses; the documentation lists them."""
