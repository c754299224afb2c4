"""The file of an upload as the source of a run."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from shared.counties.source_description import FilesDescription
from shared.sources.source import Source
from shared.uploads.files import upload_files


def open_upload(county_id: str, upload_id: UUID) -> Source:
    """Open an upload as a source. Raises NotFound."""
    return source_of(county_id, upload_id, upload_files(county_id, upload_id))


def source_of(county_id: str, upload_id: UUID, files: FilesDescription) -> Source:
    """The source of an upload's file, described by `files`."""
    from shared.sources.files.geographic.sampling import sample_key
    from shared.uploads.file_source import UploadSource

    return UploadSource(county_id, files, partial(sample_key, county_id, upload_id=upload_id))
