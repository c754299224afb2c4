"""File formats of an export: what each can hold, and which driver of GDAL writes it."""

from dataclasses import dataclass, field

from functions.gis_export.schemas import WGS84_FORMATS
from shared.layers.model import ColumnKind


@dataclass(frozen=True)
class FileFormat:
    """A file format.

    `driver` is GDAL's, or None where GDAL has none in the functions' layer. `suffix` is that of a layer's file, or of
    the one file of all layers (`many_layers`); `archive` that of the ZIP archive that carries it, "" for a format that
    needs none. `one_geometry_type`: a layer takes one type alone, so that points without a shape are a layer of their
    own. `as_text`: kinds of columns that are written as text. `max_name` is the longest name of a column,
    `max_text_bytes` the longest text; with `reserved_names` layers have plain names too, and none of those. What a
    `spreadsheet` opens has no cell that it would take for a formula.
    """

    name: str
    title: str
    suffix: str
    archive: str
    content_type: str
    driver: str | None
    notes: str
    many_layers: bool = False
    one_geometry_type: bool = False
    domains: bool = False
    as_text: frozenset[ColumnKind] = frozenset()
    wide_integers: bool = True
    max_name: int | None = None
    spreadsheet: bool = False
    reserved_names: frozenset[str] = frozenset()
    max_text_bytes: int | None = None
    options: dict[str, str] = field(default_factory=dict)

    @property
    def wgs84_only(self) -> bool:
        """True where the format knows no other reference system."""
        return self.name in WGS84_FORMATS


_ZIP = "application/zip"
_SQL_WORDS = frozenset(
    "ADD ALTER AND BETWEEN BY COLUMN CREATE DELETE DROP EXISTS FOR FROM GROUP IN INSERT INTO IS LIKE NOT NULL OR ORDER"
    " SELECT SET TABLE UPDATE VALUES WHERE".casefold().split(" ")
)
"""Words that name no table and no column in ArcGIS (Esri, "Defining fields in tables")."""
_TEMPORAL: frozenset[ColumnKind] = frozenset({"date", "datetime"})

FORMATS = {
    file_format.name: file_format
    for file_format in (
        FileFormat(
            "geopackage",
            "GeoPackage",
            ".gpkg",
            "",
            "application/geopackage+sqlite3",
            "GPKG",
            "one file: all layers, styles for QGIS, titles, coded domains, the metadata sheet",
            many_layers=True,
            domains=True,
        ),
        FileFormat(
            "geojson",
            "GeoJSON (RFC 7946)",
            ".geojson",
            ".geojson.zip",
            _ZIP,
            "GeoJSON",
            "seven decimals; outer rings counterclockwise",
            options={"RFC7946": "YES", "COORDINATE_PRECISION": "7"},
        ),
        FileFormat(
            "shapefile",
            "Shapefile",
            ".shp",
            ".shp.zip",
            _ZIP,
            "ESRI Shapefile",
            "UTF-8 (.cpg); names of 10 characters, with a list of what they stand for; texts end at 254 bytes;"
            " a file ends at 2 GB",
            one_geometry_type=True,
            as_text=frozenset({"datetime"}),
            max_name=10,
            max_text_bytes=254,
            options={"ENCODING": "UTF-8", "2GB_LIMIT": "YES", "SPATIAL_INDEX": "NO"},
        ),
        FileFormat(
            "kml",
            "KML 2.2",
            ".kml",
            ".kml.zip",
            _ZIP,
            "KML",
            "dates and times are text",
            as_text=_TEMPORAL,
        ),
        FileFormat(
            "flatgeobuf",
            "FlatGeobuf",
            ".fgb",
            ".fgb.zip",
            _ZIP,
            "FlatGeobuf",
            "with a spatial index",
        ),
        FileFormat(
            "geoparquet",
            "GeoParquet 1.1",
            ".parquet",
            ".parquet.zip",
            _ZIP,
            None,
            "WKB, a group of rows for each batch that is read",
        ),
        FileFormat(
            "csv",
            "CSV (RFC 4180)",
            ".csv",
            ".csv.zip",
            _ZIP,
            "CSV",
            "points as X and Y, other geometries as WKT; dates and times are ISO 8601; no cell is a formula",
            as_text=_TEMPORAL,
            spreadsheet=True,
            options={"LINEFORMAT": "CRLF"},
        ),
        FileFormat(
            "file_geodatabase",
            "File Geodatabase",
            ".gdb",
            ".gdb.zip",
            _ZIP,
            "OpenFileGDB",
            "coded domains; dates are times of midnight and integers beyond 32 bits reals, so that ArcGIS before 3.2"
            " reads it; the metadata sheet is a table",
            many_layers=True,
            one_geometry_type=True,
            domains=True,
            wide_integers=False,
            max_name=64,
            reserved_names=_SQL_WORDS,
        ),
    )
}
