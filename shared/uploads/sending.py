"""Files that are sent to a signed address of S3: the address, and whether the file of a document is there."""

from datetime import UTC, datetime, timedelta

from shared import storage
from shared.problems import Conflict, NotFound, Unprocessable
from shared.uploads.announced_file import SignedAddress
from shared.uploads.document_types import BEGINNING_BYTES, is_of_type


def address_to_send(key: str, size_bytes: int, sha256: str) -> SignedAddress:
    """The address that takes an object of this size and content, once."""
    expires_at = datetime.now(UTC) + timedelta(seconds=storage.SIGNED_URL_SECONDS)
    url, headers = storage.signed_upload(key, size_bytes, sha256)
    return SignedAddress(url=url, headers=headers, expires_at=expires_at)


def require_sent(key: str, filename: str, content_type: str, size_bytes: int) -> None:
    """Raise Conflict where the file of a document is not there yet, Unprocessable for one of another type."""
    try:
        beginning = storage.find(key).range(0, min(BEGINNING_BYTES, size_bytes))
    except NotFound:
        raise Conflict("The file is not there yet: send it to its address first.", slug="file-not-sent") from None
    if not is_of_type(beginning, content_type):
        raise Unprocessable(
            f"{filename} is no {content_type}: announce it by its own type.", slug="document-of-another-type"
        )
