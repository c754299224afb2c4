"""A file that somebody announces and then sends to a signed address."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import StringConstraints

from shared.schemas import Schema

FileTitle = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[^/\\\x00-\x1f\x7f]{1,255}$")]
"""The name of a file as its owner calls it; it is stored under another."""
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class SignedAddress(Schema):
    """The address that takes the file, once, with these headers."""

    method: Literal["PUT"] = "PUT"
    url: str
    headers: dict[str, str]
    expires_at: datetime
