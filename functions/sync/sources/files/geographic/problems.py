"""How a geographic file is refusal: with its name, the place, and what to do."""

from __future__ import annotations

from collections.abc import Mapping

from shared.counties.source_description import GeographicFile
from shared.problems import Unprocessable

KINDS = {
    "shapefile": "zipped Shapefile",
    "geopackage": "GeoPackage",
    "file_geodatabase": "zipped File Geodatabase",
    "kml": "KML or KMZ file",
    "geojson": "GeoJSON file",
    "flatgeobuf": "FlatGeobuf file",
}
MAX_QUOTED = 300
"""Characters of a library's words that a message quotes."""


def refusal(detail: str, slug: str) -> Unprocessable:
    """The problem of a file that is not read, or that somebody has to say more about."""
    return Unprocessable(detail, slug=slug)


def unreadable_file(description: GeographicFile, why: object, place: str = "") -> Unprocessable:
    """The problem of a file that is not what its format says, or is damaged."""
    said = str(why) if str(why).strip() else type(why).__name__
    kind = KINDS[getattr(description, "format", "")]
    at = f" ({place})" if place else ""
    return refusal(
        f"{description.file} is no {kind} that can be read{at}: {said[:MAX_QUOTED].rstrip('. ')}. Export it again, and"
        " send it again.",
        "file-unreadable",
    )


def select_layer(layers: Mapping[str, str], description: GeographicFile) -> str:
    """The key of the layer that is meant, of `layers` by what they are called.

    A name in other capitals is taken where it is the only one. Raises Unprocessable with the names that there are.
    """
    wanted = description.layer
    named = [key for key, name in layers.items() if wanted is None or name == wanted]
    if wanted is not None and not named:
        named = [key for key, name in layers.items() if name.lower() == wanted.lower()]
    if len(named) != 1:
        raise refusal(
            f"{description.file} has these layers: {', '.join(layers.values()) or 'none'}; its description has to name"
            " one of them (layer).",
            "source-table-missing",
        )
    return named[0]
