"""The description of a downloaded file: its format, and how a text is read, from its own bytes."""

import gzip
import zlib
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import BadZipFile, ZipFile, is_zipfile

from functions.uploads.domain.delimited_text import detect_text
from functions.uploads.domain.file_formats import detect_format, is_compressed_text
from shared.problems import Unprocessable

BEGINNING_BYTES = 64 * 1024
"""Bytes from which the format of a file is known. A choice: as many as its reader takes for the header of a text."""
MAX_UNPACKED_BYTES = 4 << 30
"""Unpacked size of a compressed file at most. A choice: four times what a county may send, and far below what a zip
bomb unpacks to."""
_ENCRYPTED = 0x1
"""Bit of a zip member's flags (APPNOTE 4.4.4)."""
_CHUNK = 1 << 20
_TEXTS = ("csv", "fixed_width")


def described(path: Path, filename: str, stored_name: str, declared: Mapping[str, Any] | None) -> dict[str, Any]:
    """The description of a file, as declared or as its content shows it.

    Raises Unprocessable for a format that is not read or not the declared one, for an archive that is damaged,
    encrypted or unpacks to more than MAX_UNPACKED_BYTES, and for a text without a header.
    """
    with path.open("rb") as file:
        beginning = file.read(BEGINNING_BYTES)
    members = _members(path, filename) if beginning.startswith(b"PK") else []
    found = detect_format(filename, beginning, members)
    if declared is not None:
        same = declared["format"] == found or (declared["format"] in _TEXTS and found in _TEXTS)
        if not same:
            raise Unprocessable(
                f"{filename} is described as {declared['format']}, and its content is {found}.",
                slug="file-format-differs",
            )
        _unpacked_beginning(path, filename, beginning, members)
        return dict(declared)
    if found not in _TEXTS:
        return {"format": found, "file": stored_name}
    text = detect_text(filename, _unpacked_beginning(path, filename, beginning, members))
    return {"format": "csv", "file": stored_name, "encoding": text.encoding, "delimiter": text.delimiter}


def _members(path: Path, filename: str) -> Sequence[str]:
    """The names in an archive, of which the unpacked size is bounded."""
    try:
        if not is_zipfile(path):
            raise BadZipFile("it has no directory at its end")
        with ZipFile(path) as archive:
            infos = archive.infolist()
    except (BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise Unprocessable(
            f"{filename} is an archive that is damaged or cut off ({error}). Send it again.", slug="file-unreadable"
        ) from None
    if any(info.flag_bits & _ENCRYPTED for info in infos):
        raise Unprocessable(f"A password protects {filename}: send it without one.", slug="file-encrypted")
    _require_bounded(filename, sum(info.file_size for info in infos))
    return [info.filename for info in infos]


def _unpacked_beginning(path: Path, filename: str, beginning: bytes, members: Sequence[str]) -> bytes:
    """The beginning of a text, unpacked where it is compressed; then all of it is unpacked once, to know its size."""
    if not is_compressed_text(beginning, members):
        return beginning
    try:
        if members:
            files = [name for name in members if not name.endswith("/") and not name.startswith("__MACOSX/")]
            if len(files) != 1:
                raise Unprocessable(
                    f"{filename} holds {', '.join(islice(files, 10)) or 'nothing'}: an archive has to hold one file."
                    " Send each by itself.",
                    slug="file-unreadable",
                )
            with ZipFile(path) as archive, archive.open(files[0]) as content:
                return content.read(BEGINNING_BYTES)
        with gzip.open(path) as unpacked:
            return _measured(unpacked, filename)
    except (OSError, EOFError, zlib.error, BadZipFile, NotImplementedError, RuntimeError) as error:
        raise Unprocessable(
            f"{filename} is damaged or cut off ({error}). Send it again.", slug="file-unreadable"
        ) from None


def _measured(content: BinaryIO | gzip.GzipFile, filename: str) -> bytes:
    """The beginning of a stream that says nothing of its size, read to its end."""
    beginning = content.read(BEGINNING_BYTES)
    size = len(beginning)
    while chunk := content.read(_CHUNK):
        size += len(chunk)
        _require_bounded(filename, size)
    return beginning


def _require_bounded(filename: str, size: int) -> None:
    if size > MAX_UNPACKED_BYTES:
        raise Unprocessable(f"{filename} unpacks to more than {MAX_UNPACKED_BYTES >> 30} GB.", slug="file-too-large")
