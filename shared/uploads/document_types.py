"""Types of documents, told by their beginnings."""

from collections.abc import Mapping

from functions.appeals.schemas import ContentType

BEGINNING_BYTES = 8
_ZIP = (b"PK\x03\x04",)
_BEGINNINGS: Mapping[ContentType, tuple[bytes, ...]] = {
    "application/pdf": (b"%PDF-",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/tiff": (b"II*\x00", b"MM\x00*"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": _ZIP,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": _ZIP,
}
"""First bytes of each type: ISO 32000-1, JFIF, PNG, TIFF 6.0, and ZIP for those of Office Open XML."""


def is_of_type(beginning: bytes, content_type: ContentType) -> bool:
    """True for a content whose first bytes are those of the type."""
    return beginning.startswith(_BEGINNINGS[content_type])
