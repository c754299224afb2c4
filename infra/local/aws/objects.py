"""S3 objects as plain files.

moto holds contents in memory. Here a key's contents are a file that is opened when it is read; what else is
known of the object is a document in the state store. A put is a rename, so an object is never half there.
"""

import hashlib
import importlib
import os
import re
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from moto.s3 import models as s3_models
from moto.s3.exceptions import EntityTooSmall, InvalidPart, MalformedXML

from infra.local.aws.replacements import Replacements
from infra.local.cloud_assembly import ACCOUNT, REGION
from infra.local.state import StateStore

_KIND = "object"
_SAFE_PART = re.compile(r"^(?!\.)[A-Za-z0-9._=+@, -]{1,120}$")
_CHUNK = 1 << 20
_MIN_PART_BYTES = 5 << 20
_PARTIAL = ".partial"
_ODD_NAMES = ".named-by-digest"


@dataclass(frozen=True)
class StoredFile:
    """Contents that lie in a file already."""

    path: Path
    size: int
    etag: str


class ObjectFiles:
    """The folder of objects, and what moto has changed in it since it was last written down."""

    def __init__(self, folder: Path, state: StateStore) -> None:
        self._folder = folder
        self._state = state
        self._changed: set[tuple[str, str]] = set()
        self._lock = threading.Lock()
        partial = folder / _PARTIAL
        partial.mkdir(parents=True, exist_ok=True)
        for leftover in partial.iterdir():  # of uploads that a kill cut short
            leftover.unlink()

    def path(self, bucket: str, key: str) -> Path:
        """The object's file: of its own name, or of a digest of it if no file can be called that."""
        parts = key.split("/")
        candidate = self._folder / bucket / Path(*parts)
        plain = all(_SAFE_PART.match(part) for part in parts) and len(key) < 900
        blocked = candidate.is_dir() or any(
            parent.is_file() for parent in candidate.parents if parent.is_relative_to(self._folder)
        )
        if plain and not blocked:
            return candidate
        return self._folder / bucket / _ODD_NAMES / hashlib.sha256(key.encode()).hexdigest()

    def partial(self) -> Path:
        """A new empty file, for contents that are not an object yet."""
        handle, name = tempfile.mkstemp(dir=self._folder / _PARTIAL)
        os.close(handle)
        return Path(name)

    def changed(self, bucket: str, key: str) -> None:
        """Notes that the object was written, described anew or deleted."""
        with self._lock:
            self._changed.add((bucket, key))

    def write_down(self) -> None:
        """Brings the state store up to date. Called after each request, before it is answered."""
        with self._lock:
            changed, self._changed = self._changed, set()
        backend = _backend()
        written: dict[str, Any] = {}
        removed: list[str] = []
        for bucket_name, name in changed:
            bucket = backend.buckets.get(bucket_name)
            key = bucket.keys.get(name) if bucket else None
            if isinstance(key, DiskKey):
                written[f"{bucket_name}/{name}"] = _describe(key, self._folder, backend)
            else:
                removed.append(f"{bucket_name}/{name}")
        described = [document for name in removed if (document := self._state.get(_KIND, name))]
        if written or removed:
            self._state.change(_KIND, written, removed)
        for document in described:
            self._discard(document)

    def _discard(self, document: dict[str, Any]) -> None:
        """Removes a deleted object's file, unless a put has since placed a new one there."""
        path = self._folder / document["file"]
        if path.exists() and path.stat().st_mtime_ns == document["modified_ns"]:
            path.unlink()

    def load(self) -> None:
        """Gives moto the objects of earlier runs, without reading their contents. Buckets must exist."""
        backend = _backend()
        for name, document in self._state.all(_KIND).items():
            bucket_name, _, key_name = name.partition("/")
            path = self._folder / document["file"]
            if bucket_name in backend.buckets and path.exists():
                key = _restored(bucket_name, key_name, path, document)
                backend.buckets[bucket_name].keys.setlist(key_name, [key])
                if document["tags"]:
                    backend.tagger.tag_resource(
                        key.arn, [{"Key": name, "Value": value} for name, value in document["tags"].items()]
                    )


class DiskKey(s3_models.FakeKey):
    """moto's object with its contents in a file. A key without a bucket is a part of a multipart upload."""

    files: ObjectFiles

    def __new__(cls, *_: Any, **__: Any) -> "DiskKey":
        # moto's own __new__ puts every key ever made into a list that is never emptied
        return object.__new__(cls)

    @property
    def value(self) -> bytes:
        if reading.deferred:
            reading.key = self
            return b""
        return self.path.read_bytes()

    @value.setter
    def value(self, contents: bytes | str | StoredFile) -> None:
        if not isinstance(contents, StoredFile):
            contents = _stored(self.files.partial(), contents)
        self.contentsize = contents.size
        self._etag = self._etag or contents.etag
        self.path = contents.path
        if self.bucket_name is not None:
            target = self.files.path(self.bucket_name, self.name)
            if target != contents.path:
                target.parent.mkdir(parents=True, exist_ok=True)
                contents.path.replace(target)
                self.path = target
            self.files.changed(self.bucket_name, self.name)

    def set_metadata(self, metadata: Any, replace: bool = False) -> None:
        super().set_metadata(metadata, replace)
        if self.bucket_name is not None:
            self.files.changed(self.bucket_name, self.name)

    def dispose(self, garbage: bool = False) -> None:  # noqa: ARG002  # moto's signature
        """Removes a part's file. An object's file belongs to its name, which a newer key may have by now."""
        self.disposed = True
        if self.bucket_name is None and hasattr(self, "path"):
            self.path.unlink(missing_ok=True)


class _Reading(threading.local):
    """While `deferred`, a key that is read says who it is instead: the server sends the file piece by piece."""

    deferred = False
    key: DiskKey | None = None


reading = _Reading()


def install(files: ObjectFiles, replacements: Replacements) -> None:
    """Makes moto keep objects in `files`."""
    DiskKey.files = files
    backend_class = s3_models.S3Backend
    delete_object, tag_object = backend_class.delete_object, backend_class.put_object_tagging
    complete_upload = backend_class.complete_multipart_upload

    def delete(self: Any, bucket_name: str, key_name: str, *arguments: Any, **named: Any) -> Any:
        files.changed(bucket_name, key_name)
        return delete_object(self, bucket_name, key_name, *arguments, **named)

    def tag(self: Any, key: Any, *arguments: Any, **named: Any) -> Any:
        if isinstance(key, DiskKey) and key.bucket_name is not None:
            files.changed(key.bucket_name, key.name)
        return tag_object(self, key, *arguments, **named)

    def complete(self: Any, bucket_name: str, multipart_id: str, body: Any) -> Any:
        key: Any = complete_upload(self, bucket_name, multipart_id, body)
        key.multipart.dispose()
        key.multipart = None  # moto would keep the parts beside the whole
        return key

    importlib.import_module("moto.s3.responses")  # it keeps the FakeKey that it finds, which must be moto's own
    replacements.replace(s3_models, "FakeKey", DiskKey)
    replacements.replace(s3_models.FakeMultipart, "complete", _join_parts)
    replacements.replace(backend_class, "delete_object", delete)
    replacements.replace(backend_class, "put_object_tagging", tag)
    replacements.replace(backend_class, "complete_multipart_upload", complete)


def _join_parts(self: Any, body: Iterator[tuple[int, str]]) -> tuple[StoredFile, str, None]:
    """`FakeMultipart.complete` without holding the object in memory three times."""
    path = DiskKey.files.partial()
    digests, size, count, last = b"", 0, 0, None
    with path.open("wb") as whole:
        for number, etag in body:
            part = self.parts.get(number)
            if part is None or part.etag.strip('"') != etag.strip('"'):
                raise InvalidPart
            if last is not None and last.contentsize < _MIN_PART_BYTES:
                raise EntityTooSmall
            for chunk in chunks(part.path.open("rb"), 0, part.contentsize):
                whole.write(chunk)
            digests += bytes.fromhex(part.etag.strip('"'))
            size, count, last = size + part.contentsize, count + 1, part
    if count == 0:
        raise MalformedXML
    etag = f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{count}"
    return StoredFile(path, size, etag), etag, None


def chunks(file: BinaryIO, start: int, length: int) -> Iterator[bytes]:
    """A piece of an open file, a mebibyte at a time; closes it."""
    with file:
        file.seek(start)
        while length > 0 and (chunk := file.read(min(_CHUNK, length))):
            length -= len(chunk)
            yield chunk


def _stored(path: Path, contents: bytes | str) -> StoredFile:
    data = contents.encode() if isinstance(contents, str) else contents
    path.write_bytes(data)
    return StoredFile(path, len(data), hashlib.md5(data, usedforsecurity=False).hexdigest())


def _backend() -> Any:
    return s3_models.s3_backends[ACCOUNT]["aws"]


def _describe(key: DiskKey, folder: Path, backend: Any) -> dict[str, Any]:
    return {
        "file": key.path.relative_to(folder).as_posix(),
        "size": key.contentsize,
        "modified_ns": key.path.stat().st_mtime_ns,
        "etag": key.etag.strip('"'),
        "last_modified": key.last_modified.isoformat(),
        "metadata": dict(key.metadata),
        "storage_class": key.storage_class,
        "checksum": [key.checksum_algorithm, key.checksum_value],
        "tags": backend.tagger.get_tag_dict_for_resource(key.arn),
    }


def _restored(bucket: str, name: str, path: Path, document: dict[str, Any]) -> DiskKey:
    status = path.stat()
    etag = document["etag"]
    if (status.st_size, status.st_mtime_ns) != (document["size"], document["modified_ns"]):
        # a kill fell between the rename and the document: the file is whole, its description is the old one
        with path.open("rb") as file:
            etag = hashlib.file_digest(file, "md5").hexdigest()
    key = DiskKey(
        name=name,
        bucket_name=bucket,
        value=StoredFile(path, status.st_size, etag),
        account_id=ACCOUNT,
        region_name=REGION,
        storage=document["storage_class"],
        version_id="null",
        checksum_value=document["checksum"][1],
    )
    key.checksum_algorithm = document["checksum"][0]
    key.last_modified = datetime.fromisoformat(document["last_modified"])
    key._metadata.clear()
    key._metadata.update(document["metadata"])
    return key
