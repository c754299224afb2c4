"""Tables of a GeoPackage beside its layers: styles as QGIS reads them, and the metadata sheet (OGC 12-128, F.8)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import datetime
from pathlib import Path

from functions.gis_export.domain.layer_file import FileLayer
from functions.gis_export.domain.styles import Marker, style_title, style_xml

_SPECIFICATION = "http://www.geopackage.org/spec121/#extension_metadata"

_TABLES = """
CREATE TABLE IF NOT EXISTS layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256), f_table_schema TEXT(256),
    f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
    useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30), update_time DATETIME);
CREATE TABLE IF NOT EXISTS gpkg_extensions (
    table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL, scope TEXT NOT NULL,
    CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name));
CREATE TABLE IF NOT EXISTS gpkg_metadata (
    id INTEGER CONSTRAINT m_pk PRIMARY KEY ASC NOT NULL, md_scope TEXT NOT NULL DEFAULT 'dataset',
    md_standard_uri TEXT NOT NULL, mime_type TEXT NOT NULL DEFAULT 'text/xml', metadata TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS gpkg_metadata_reference (
    reference_scope TEXT NOT NULL, table_name TEXT, column_name TEXT, row_id_value INTEGER,
    timestamp DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')), md_file_id INTEGER NOT NULL,
    md_parent_id INTEGER, CONSTRAINT crmr_mfi_fk FOREIGN KEY (md_file_id) REFERENCES gpkg_metadata(id),
    CONSTRAINT crmr_mpi_fk FOREIGN KEY (md_parent_id) REFERENCES gpkg_metadata(id));
"""


def complete(path: Path, layers: Iterable[FileLayer], sheet: str, as_of: datetime) -> None:
    """Add styles and the metadata sheet to a GeoPackage that GDAL has written."""
    made_at = as_of.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    with closing(sqlite3.connect(path)) as file, file:
        file.executescript(_TABLES)
        for layer in layers:
            _add_style(file, layer, made_at)
        file.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change)"
            " VALUES ('layer_styles', 'attributes', 'layer_styles', 'Styles of the layers, for QGIS', ?)",
            (made_at,),
        )
        file.executemany(
            "INSERT OR IGNORE INTO gpkg_extensions VALUES (?, NULL, 'gpkg_metadata', ?, 'read-write')",
            [("gpkg_metadata", _SPECIFICATION), ("gpkg_metadata_reference", _SPECIFICATION)],
        )
        inserted = file.execute(
            "INSERT INTO gpkg_metadata (md_scope, md_standard_uri, mime_type, metadata)"
            " VALUES ('dataset', 'https://www.iana.org/assignments/media-types/text/plain', 'text/plain', ?)",
            (sheet,),
        )
        file.execute(
            "INSERT INTO gpkg_metadata_reference (reference_scope, timestamp, md_file_id) VALUES ('geopackage', ?, ?)",
            (made_at, inserted.lastrowid),
        )


def _add_style(file: sqlite3.Connection, layer: FileLayer, made_at: str) -> None:
    marker: Marker = "polygon" if layer.part.group == "mixed" else layer.part.group
    (geometry_column,) = file.execute(
        "SELECT column_name FROM gpkg_geometry_columns WHERE table_name = ?", (layer.name,)
    ).fetchone()
    title = style_title(layer.layer)
    file.execute(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName,"
        " styleQML, styleSLD, useAsDefault, description, owner, update_time) "
        " VALUES ('', '', ?, ?, ?, ?, '', 1, ?, '', ?)",
        (layer.name, geometry_column, title[:30], style_xml(layer.layer, marker), title, made_at),
    )
