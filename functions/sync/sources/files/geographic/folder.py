"""Where the parts of a geographic file are kept."""

from functions.sync.sources.files.file_index import FileFolder
from shared.counties.source_description import GeographicFile
from shared.storage import StoredObject

_CONVERSION = "1"
"""To be raised when the same file becomes other rows: parts that were made before are made anew."""


def folder_of(county_id: str, file: StoredObject, description: GeographicFile) -> FileFolder:
    """The folder of this version of a file, converted as it is described and as this code does it."""
    return FileFolder(county_id, file, description, reader=_CONVERSION)
