"""Problems of geographic files, with the file's name, the place, and a remedy."""

from __future__ import annotations

from collections.abc import Mapping

from shared.counties.source_description import GeographicFile
from shared.problems import Unprocessable

FORMAT_NAMES = {
    "shapefile": "zipped Shapefile",
    "geopackage": "GeoPackage",
    "file_geodatabase": "zipped File Geodatabase",
    "kml": "KML or KMZ file",
    "geojson": "GeoJSON file",
    "flatgeobuf": "FlatGeobuf file",
}
MAX_QUOTED = 300
"""Characters of a library's message that a problem quotes. A choice: three lines."""


def refusal(detail: str, slug: str) -> Unprocessable:
    """The problem of a file that is not read, or needs a more precise description."""
    return Unprocessable(detail, slug=slug)


def unreadable_file(description: GeographicFile, why: object, place: str = "") -> Unprocessable:
    """The problem of a file that is not of its format, or damaged."""
    message = str(why) if str(why).strip() else type(why).__name__
    kind = FORMAT_NAMES[getattr(description, "format", "")]
    at = f" ({place})" if place else ""
    return refusal(
        f"{description.file} is no {kind} that can be read{at}: {message[:MAX_QUOTED].rstrip('. ')}."
        " Export it again, and send it again.",
        "file-unreadable",
    )


def select_layer(layers: Mapping[str, str], description: GeographicFile) -> str:
    """The key of the layer that a description names, of `layers` (names by key); without a name, of the only one.

    A name that differs in case is accepted where it is the only one. Raises Unprocessable with the existing names.
    """
    requested = description.layer
    named = [key for key, name in layers.items() if requested is None or name == requested]
    if requested is not None and not named:
        named = [key for key, name in layers.items() if name.lower() == requested.lower()]
    if len(named) != 1:
        raise refusal(
            f"{description.file} has these layers: {', '.join(layers.values()) or 'none'}; its description has to name"
            " one of them (layer).",
            "source-table-missing",
        )
    return named[0]
