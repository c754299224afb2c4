"""Requests and answers of uploads."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from shared.counties.source_description import FileDescription
from shared.mapping.targets import TargetName
from shared.schemas import RequestSchema
from shared.uploads.announced_file import FileTitle, Sha256, SignedAddress
from shared.uploads.schemas import Upload


class UploadRequest(RequestSchema):
    """A file to be sent: its name, its exact size, and the SHA-256 of its content in hexadecimal.

    `target_table` is the table that it fills, or proposed from its columns. `description` says how it is read where
    that does not follow from the file itself: fixed widths, a sheet, a file without a header; its `file` is ignored.
    """

    filename: FileTitle
    size_bytes: Annotated[int, Field(ge=1)]
    sha256: Sha256
    target_table: TargetName | None = None
    description: FileDescription | None = None


class NewUpload(Upload):
    """An upload with the address to which its file is sent. `same_content_as` is an earlier upload of this content."""

    send: SignedAddress
    same_content_as: UUID | None


class InspectionRequest(RequestSchema):
    """The inspection of an upload whose file was sent. Its job has the upload's id."""

    upload_id: UUID
