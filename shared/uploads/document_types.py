"""Types of documents, told by their beginnings."""

from collections.abc import Mapping
from typing import Literal

DocumentType = Literal[
    "application/pdf",
    "image/jpeg",
    "image/png",
    "image/tiff",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
]

BEGINNING_BYTES = 8
_ZIP = (b"PK\x03\x04",)
_BEGINNINGS: Mapping[str, tuple[bytes, ...]] = {
    "application/pdf": (b"%PDF-",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/tiff": (b"II*\x00", b"MM\x00*"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": _ZIP,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": _ZIP,
}
"""First bytes of each type: ISO 32000-1, JFIF, PNG, TIFF 6.0, and ZIP for those of Office Open XML."""


def is_of_type(beginning: bytes, content_type: str) -> bool:
    """True for a content whose first bytes are those of the type, which is one of `DocumentType`."""
    return beginning.startswith(_BEGINNINGS[content_type])
