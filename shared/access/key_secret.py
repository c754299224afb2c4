"""The secret of an access key: its form, its checksum, its digest.

`tfk_`, 43 random letters and digits, and six of a checksum. By prefix and checksum a secret scanner, a log's redaction
and the gateway's authorizer tell a key from other text without asking anybody.
"""

import hashlib
import re
import secrets
import string
import zlib

PREFIX = "tfk_"
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM_CHARACTERS = 43
"""256 bits: 43 * log2(62). So much cannot be guessed, and a plain SHA-256 of it is as good as a slow hash."""
_CHECKSUM_CHARACTERS = 6
"""A CRC-32 in base 62."""
PATTERN = re.compile(f"{PREFIX}[0-9A-Za-z]{{{_RANDOM_CHARACTERS + _CHECKSUM_CHARACTERS}}}")
REDACTED = f"{PREFIX}…"


def new_secret() -> str:
    """A new secret."""
    random = PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_CHARACTERS))
    return random + _checksum(random)


def is_secret(text: str) -> bool:
    """True for a text in the form of a secret, its checksum included."""
    body = text[:-_CHECKSUM_CHARACTERS]
    return PATTERN.fullmatch(text) is not None and text == body + _checksum(body)


def digest(secret: str) -> bytes:
    """SHA-256 of a secret: what is stored of it."""
    return hashlib.sha256(secret.encode()).digest()


def redact(text: str) -> str:
    """The text with each secret in it cut to its prefix."""
    return PATTERN.sub(REDACTED, text) if PREFIX in text else text


def _checksum(text: str) -> str:
    number, letters = zlib.crc32(text.encode()), ""
    for _ in range(_CHECKSUM_CHARACTERS):
        number, digit = divmod(number, len(_ALPHABET))
        letters = _ALPHABET[digit] + letters
    return letters
