"""Compressed text files: unpacked once beside the indexes, since a compressed file cannot be read from the middle."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import BadZipFile, ZipFile, ZipInfo

from shared import storage
from shared.problems import NotFound, Unprocessable
from shared.sources.files.frames import unreadable_file
from shared.storage import StoredObject, county_key

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_UNSUPPORTED = {
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"7z\xbc\xaf": "7-Zip",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"Rar!": "RAR",
}
MAX_UNPACKED_BYTES = 16 << 30
"""Largest unpacked file in bytes. A choice: a county's roll has a few gigabytes."""


def unpack(county_id: str, file: StoredObject, name: str) -> StoredObject:
    """The file itself, or its content where it is compressed. Raises Unprocessable for a file that cannot be
    unpacked.
    """
    beginning = file.range(0, min(6, file.size))
    other = next((reason for mark, reason in _UNSUPPORTED.items() if beginning.startswith(mark)), None)
    if other is not None:
        raise Unprocessable(
            f"{name} is compressed with {other}; send it as it is, or as .gz or .zip.", slug="file-unreadable"
        )
    if not beginning.startswith((_GZIP, _ZIP)):
        return file
    of_file = county_key(county_id, "sync-unpacked", name)
    key = f"{of_file}/{file.etag.strip(chr(34))}"
    try:
        return storage.find(key)
    except NotFound:
        storage.delete_below(f"{of_file}/")
    try:
        if beginning.startswith(_GZIP):
            with gzip.GzipFile(fileobj=_Chunks(file.chunks()), mode="rb") as content:
                storage.put_stream(key, _Bounded(content, name))
        else:
            _unzip(file, name, key)
    except (OSError, EOFError, zlib.error, BadZipFile, NotImplementedError, RuntimeError, ValueError) as error:
        storage.delete_below(f"{of_file}/")
        reason = "a password protects it" if "encrypted" in str(error) else f"it is damaged or cut off ({error})"
        raise unreadable_file(name, "compressed file", reason, "Send it again.") from None
    return storage.find(key)


def _unzip(file: StoredObject, name: str, key: str) -> None:
    with TemporaryDirectory(prefix="terrafusion-unpacked-") as folder:
        path = Path(folder) / "archive"
        file.download(path)
        with ZipFile(path) as archive, archive.open(_only_member(archive, name)) as content:
            storage.put_stream(key, _Bounded(content, name))


def _only_member(archive: ZipFile, name: str) -> ZipInfo:
    members = [
        member for member in archive.infolist() if not member.is_dir() and not member.filename.startswith("__MACOSX/")
    ]
    if len(members) != 1:
        named = ", ".join(member.filename for member in members[:10]) or "nothing"
        raise Unprocessable(
            f"{name} holds {named}: an archive has to hold one file. Send each by itself.", slug="file-unreadable"
        )
    return members[0]


class _Chunks(io.RawIOBase):
    """A readable stream of an iterator's chunks."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._buffer = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]  # typeshed's ReadableBuffer is no runtime name
        while not self._buffer:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._buffer = chunk
        count = min(len(view), len(self._buffer))
        view[:count] = self._buffer[:count]
        self._buffer = self._buffer[count:]
        return count


class _Bounded(io.RawIOBase):
    """A stream with at most MAX_UNPACKED_BYTES: a small archive can unpack to a thousand times its size (a zip
    bomb).
    """

    def __init__(self, content: Any, name: str) -> None:
        self._content = content
        self._name = name
        self._read = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        content: bytes = self._content.read(size)
        self._read += len(content)
        if self._read > MAX_UNPACKED_BYTES:
            raise Unprocessable(
                f"{self._name} unpacks to more than {MAX_UNPACKED_BYTES >> 30} GB.", slug="file-too-large"
            )
        return content
