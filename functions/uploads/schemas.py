"""Requests and answers of uploads."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.counties.source_description import FileDescription
from shared.mapping.targets import TargetName
from shared.schemas import RequestSchema, Schema
from shared.uploads.schemas import Upload

FileTitle = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[^/\\\x00-\x1f\x7f]{1,255}$")]
"""The name of a file as its owner calls it; it is stored under another."""


class UploadRequest(RequestSchema):
    """A file to be sent: its name, its exact size, and the SHA-256 of its content in hexadecimal.

    `target_table` is the table that it fills, or proposed from its columns. `description` says how it is read where
    that does not follow from the file itself: fixed widths, a sheet, a file without a header; its `file` is ignored.
    """

    filename: FileTitle
    size_bytes: Annotated[int, Field(ge=1)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    target_table: TargetName | None = None
    description: FileDescription | None = None


class SignedAddress(Schema):
    """The address that takes the file, once, with these headers."""

    method: Literal["PUT"] = "PUT"
    url: str
    headers: dict[str, str]
    expires_at: datetime


class NewUpload(Upload):
    """An upload with the address to which its file is sent. `same_content_as` is an earlier upload of this content."""

    send: SignedAddress
    same_content_as: UUID | None


class InspectionRequest(RequestSchema):
    """The inspection of an upload whose file was sent. Its job has the upload's id."""

    upload_id: UUID
