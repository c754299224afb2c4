"""The folder of the parts of a geographic file."""

from shared.counties.source_description import GeographicFile
from shared.sources.files.file_index import FileFolder
from shared.storage import StoredObject

_CONVERSION = "1"
"""Version of the conversion: raise it when the same file yields other rows, so that parts are made anew."""


def folder_of(
    county_id: str, file: StoredObject, description: GeographicFile, *, any_geometry: bool = False
) -> FileFolder:
    """The folder of a version of a file, converted by this version of the conversion; `any_geometry` as in
    `conversion.convert`.
    """
    return FileFolder(county_id, file, description, reader=f"{_CONVERSION}{'any' if any_geometry else ''}")
