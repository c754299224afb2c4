"""Unpacking of archives into a folder for GDAL; paths in archives are not used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from zipfile import ZipFile, ZipInfo, is_zipfile

from shared.counties.source_description import (
    FileGeodatabaseFile,
    FlatGeobufFile,
    GeographicFile,
    GeoJsonFile,
    GeoPackageFile,
    KmlFile,
    ShapeFile,
)
from shared.sources.files.geographic.problems import refusal, select_layer, unreadable_file
from shared.sources.files.geographic.shapefile_files import SHAPEFILE_PARTS, count_rows

MAX_UNPACKED = 6 << 30
"""Largest unpacked size in bytes: the function's scratch space (10 GB) has to hold the archive and the parts too."""
_NAMES: dict[type[GeographicFile], str] = {
    GeoPackageFile: "layer.gpkg",
    GeoJsonFile: "layer.geojson",
    FlatGeobufFile: "layer.fgb",
    KmlFile: "layer.kml",
}
"""File names by format, since GDAL recognizes some formats by the extension."""


@dataclass(frozen=True)
class UnpackedFile:
    """The path for GDAL to open; for a Shapefile also the layer's name and its number of rows."""

    path: Path
    layer: str | None = None
    rows: int | None = None


def unpack(file: Path, folder: Path, description: GeographicFile) -> UnpackedFile:
    """Unpack a file for GDAL. Raises Unprocessable for an incomplete archive."""
    match description:
        case ShapeFile():
            return _shapefile(file, folder, description)
        case FileGeodatabaseFile():
            return UnpackedFile(_geodatabase(file, folder, description))
        case KmlFile() if is_zipfile(file):
            return UnpackedFile(_kmz(file, folder, description))
        case _:
            return UnpackedFile(file.rename(folder / _NAMES[type(description)]))


def _shapefile(file: Path, folder: Path, description: ShapeFile) -> UnpackedFile:
    with _archive(file, description) as archive:
        members = _members(archive)
        layers = {name[:-4]: PurePosixPath(name).stem for name in members if name.lower().endswith(".shp")}
        base = select_layer(layers, description)
        by_name = {name.lower(): info for name, info in members.items()}
        parts: dict[str, ZipInfo] = {}
        for ending, required in SHAPEFILE_PARTS.items():
            member = by_name.get(f"{base}{ending}".lower())
            if member is not None:
                parts[ending] = member
            elif required:
                raise refusal(
                    f"{description.file} lacks {layers[base]}{ending}. Send .shp, .shx, .dbf and .prj in one archive.",
                    "file-incomplete",
                )
        _extract(archive, {info: folder / f"layer{ending}" for ending, info in parts.items()}, description)
    file.unlink()
    rows = count_rows(folder / "layer.shp", layers[base], description)
    return UnpackedFile(folder / "layer.shp", layers[base], rows)


def _geodatabase(file: Path, folder: Path, description: FileGeodatabaseFile) -> Path:
    """Unpack a File Geodatabase, a folder of files, zipped with or without the folder."""
    target = folder / "layer.gdb"
    with _archive(file, description) as archive:
        members = _members(archive)
        folders = sorted({str(PurePosixPath(name).parent) for name in members if name.lower().endswith(".gdbtable")})
        if len(folders) != 1:
            named = ", ".join(folders) or "none"
            raise refusal(
                f"{description.file} has to have one File Geodatabase (a folder .gdb) in it, and has: {named}.",
                "file-incomplete",
            )
        inside = {name: info for name, info in members.items() if str(PurePosixPath(name).parent) == folders[0]}
        target.mkdir()
        _extract(archive, {info: target / PurePosixPath(name).name for name, info in inside.items()}, description)
    file.unlink()
    return target


def _kmz(file: Path, folder: Path, description: KmlFile) -> Path:
    """KMZ: the first .kml of the archive's root is its document (KML Reference, "KMZ Files")."""
    target = folder / "layer.kml"
    with _archive(file, description) as archive:
        documents = [info for name, info in _members(archive).items() if name.lower().endswith(".kml")]
        documents.sort(key=lambda info: info.filename.count("/"))
        if not documents:
            raise refusal(f"{description.file} has no .kml in it.", "file-incomplete")
        _extract(archive, {documents[0]: target}, description)
    file.unlink()
    return target


def _archive(file: Path, description: GeographicFile) -> ZipFile:
    try:
        return ZipFile(file)
    except Exception as error:  # the standard library raises errors of many types for damaged archives
        raise unreadable_file(description, error) from None


def _members(archive: ZipFile) -> dict[str, ZipInfo]:
    """The files of an archive by name, without those that macOS adds."""
    infos: Iterable[ZipInfo] = archive.infolist()
    return {info.filename: info for info in infos if not info.is_dir() and not info.filename.startswith("__MACOSX/")}


def _extract(archive: ZipFile, targets: dict[ZipInfo, Path], description: GeographicFile) -> None:
    total = sum(info.file_size for info in targets)
    if total > MAX_UNPACKED:
        raise refusal(
            f"{description.file} unpacks to {total / 2**30:.1f} GiB; at most {MAX_UNPACKED >> 30} are read.",
            "file-too-large",
        )
    for info, target in targets.items():
        try:
            with archive.open(info) as packed, target.open("wb") as file:
                while piece := packed.read(1 << 20):
                    file.write(piece)
        except Exception as error:
            raise unreadable_file(description, f"{info.filename}: {type(error).__name__}: {error}") from None
