"""The file of an upload as a county's source describes files."""

from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from shared.counties.source_description import FileDescription, FilesDescription
from shared.db import unit_of_work
from shared.uploads.source_tables import FILE_TABLE, UPLOADS
from shared.uploads.views import require_upload

_DESCRIPTION: TypeAdapter[Any] = TypeAdapter(FileDescription)


def files_of(description: dict[str, Any]) -> FilesDescription:
    """An upload's file as a description of a files source."""
    return FilesDescription(
        kind="files", prefix=UPLOADS, tables={FILE_TABLE: _DESCRIPTION.validate_python(description)}
    )


def upload_files(county_id: str, upload_id: UUID) -> FilesDescription:
    """The description of an upload's file. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        return files_of(require_upload(connection, county_id, upload_id).description)
