"""Checksums that come with an object, compared with its content as S3 does: moto takes whatever is sent."""

import base64
import hashlib
from tempfile import SpooledTemporaryFile
from typing import Any

_CHECKSUM = "HTTP_X_AMZ_CHECKSUM_SHA256"
_IN_MEMORY_BYTES = 8 << 20
_CHUNK = 1 << 20

BAD_DIGEST = (
    b"<Error><Code>BadDigest</Code><Message>The SHA256 you specified did not match the calculated checksum."
    b"</Message></Error>"
)
"""S3's answer, with status 400, to content of another checksum."""


def is_content_altered(environ: dict[str, Any]) -> bool:
    """True for a PUT of an object whose content has another SHA-256 than its header says.

    The body is read for that, and put back.
    """
    if environ["REQUEST_METHOD"] != "PUT" or _CHECKSUM not in environ:
        return False
    body, digest = SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES), hashlib.sha256()  # noqa: SIM115 - its reader's
    remaining = int(environ.get("CONTENT_LENGTH") or 0)
    while remaining > 0 and (chunk := environ["wsgi.input"].read(min(_CHUNK, remaining))):
        digest.update(chunk)
        body.write(chunk)
        remaining -= len(chunk)
    body.seek(0)
    environ["wsgi.input"] = body
    return base64.b64encode(digest.digest()).decode() != str(environ[_CHECKSUM])
