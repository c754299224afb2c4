"""Objects in the data bucket. A county's keys begin with `counties/{county_id}/`."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger

from shared.aws import client, outage
from shared.problems import Conflict, NotFound
from shared.settings import settings

_logger = Logger(service="storage")

SIGNED_URL_SECONDS = 900
"""A choice: long enough to begin a download or an upload, short enough that a leaked address is of little use."""
RAW_ARCHIVE = ("archive", "raw")
"""The tag of objects that the bucket's lifecycle rule for the raw archive expires."""
RECORDS = "records"
"""The part of the keys of records: objects that the bucket's policy lets nobody replace or delete."""
PASSING = ("keep", "for-a-day")
"""The tag of objects that nobody needs once their signed address has ended: a lifecycle rule expires them."""


def county_key(county_id: str, *parts: str) -> str:
    """The key of a county's object: `counties/{county_id}/a/b`."""
    return "/".join(("counties", county_id, *parts))


def put(
    key: str, body: bytes, content_type: str = "application/octet-stream", tag: tuple[str, str] | None = None
) -> None:
    """Store an object, with its tag; an object of that key is replaced."""
    tagging = "=".join(tag) if tag is not None else ""
    client("s3").put_object(
        Bucket=settings().data_bucket, Key=key, Body=body, ContentType=content_type, Tagging=tagging
    )


def record_key(county_id: str, *parts: str) -> str:
    """The key of an object that nobody replaces or deletes: `counties/{county_id}/records/a/b`."""
    return county_key(county_id, RECORDS, *parts)


def put_record(key: str, body: bytes, content_type: str) -> None:
    """Store an object of a `record_key`; one that is there already stays. The bucket refuses other ways to write it.

    Raises Conflict where another content is stored under the key.
    """
    s3 = client("s3")
    try:
        s3.put_object(Bucket=settings().data_bucket, Key=key, Body=body, ContentType=content_type, IfNoneMatch="*")
    except s3.exceptions.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != HTTPStatus.PRECONDITION_FAILED:
            raise
        if get(key) != body:
            raise Conflict("Another record is stored under this name.", slug="record-exists") from error


def put_file(
    key: str, path: Path, content_type: str = "application/octet-stream", tag: tuple[str, str] | None = None
) -> None:
    """Store a file, in parts where it is large, with its tag."""
    tagging = {"Tagging": "=".join(tag)} if tag is not None else {}
    client("s3").upload_file(str(path), settings().data_bucket, key, ExtraArgs={"ContentType": content_type, **tagging})


def put_stream(key: str, stream: Any) -> None:
    """Store the content of a stream, in parts, without holding all of it."""
    client("s3").upload_fileobj(stream, settings().data_bucket, key)


def get(key: str) -> bytes:
    """Read an object. Raises NotFound, ServiceUnavailable."""
    s3 = client("s3")
    try:
        body = s3.get_object(Bucket=settings().data_bucket, Key=key)["Body"]
    except s3.exceptions.NoSuchKey as error:
        raise _missing(key) from error
    with _streaming():
        return body.read()


@contextmanager
def _streaming() -> Iterator[None]:
    """Raise ServiceUnavailable where the content of an object ends before its end."""
    from botocore.exceptions import HTTPClientError, IncompleteReadError

    try:
        yield
    except (HTTPClientError, IncompleteReadError, OSError) as error:
        raise outage("s3") from error


def _missing(key: str) -> NotFound:
    """The problem of a missing object; its key is internal, and only logged."""
    _logger.warning("object not found", extra={"key": key})
    return NotFound("Something that was kept of this is not there any more.", slug="object-not-found")


@dataclass(frozen=True)
class StoredObject:
    """One version of an object: reading it fails once the object has been replaced."""

    key: str
    etag: str
    size: int

    def range(self, start: int, end: int) -> bytes:
        """The bytes from `start` up to `end`. Raises Conflict where the object was replaced meanwhile, NotFound."""
        if end <= start:
            return b""
        body = self._body(Range=f"bytes={start}-{end - 1}")
        with _streaming():
            content: bytes = body.read()
        return content

    def chunks(self, start: int = 0, size: int = 1 << 20) -> Iterator[bytes]:
        """The bytes from `start` on, in pieces. Raises as `range` does."""
        if start < self.size:
            body = self._body(Range=f"bytes={start}-{self.size - 1}")
            while True:
                with _streaming():
                    chunk: bytes = body.read(size)
                if not chunk:
                    return
                yield chunk

    def download(self, path: Path) -> None:
        """Write the whole object to a file. Raises as `range` does."""
        with path.open("wb") as file:
            for chunk in self.chunks():
                file.write(chunk)

    def _body(self, **more: str) -> Any:
        s3 = client("s3")
        try:
            return s3.get_object(Bucket=settings().data_bucket, Key=self.key, IfMatch=self.etag, **more)["Body"]  # type: ignore[arg-type]
        except s3.exceptions.NoSuchKey as error:
            raise _missing(self.key) from error
        except s3.exceptions.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != HTTPStatus.PRECONDITION_FAILED:
                raise
            raise Conflict(f"{self.key} was replaced while it was read.", slug="object-replaced") from error


def find(key: str) -> StoredObject:
    """The present version of an object. Raises NotFound."""
    s3 = client("s3")
    try:
        head = s3.head_object(Bucket=settings().data_bucket, Key=key)
    except s3.exceptions.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != HTTPStatus.NOT_FOUND:
            raise
        raise _missing(key) from error
    return StoredObject(key, head["ETag"], head["ContentLength"])


def delete_below(prefix: str, besides: str | None = None) -> None:
    """Delete every object whose key begins with `prefix`, but for those whose key begins with `besides`."""
    s3 = client("s3")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=settings().data_bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            if besides is None or not entry["Key"].startswith(besides):
                s3.delete_object(Bucket=settings().data_bucket, Key=entry["Key"])


def signed_url(key: str, filename: str, content_type: str) -> str:
    """An HTTPS address that gives the object to whoever has it, for 15 minutes."""
    return client("s3").generate_presigned_url(
        "get_object",
        Params={
            "Bucket": settings().data_bucket,
            "Key": key,
            "ResponseContentDisposition": f'attachment; filename="{filename}"',
            "ResponseContentType": content_type,
        },
        ExpiresIn=SIGNED_URL_SECONDS,
    )


def signed_put_url(key: str, size_bytes: int) -> str:
    """An HTTPS address to which whoever has it sends the object, of this size, for 15 minutes."""
    return client("s3").generate_presigned_url(
        "put_object",
        Params={"Bucket": settings().data_bucket, "Key": key, "ContentLength": size_bytes},
        ExpiresIn=SIGNED_URL_SECONDS,
    )


def signed_upload(key: str, size_bytes: int, sha256: str) -> tuple[str, dict[str, str]]:
    """An HTTPS address that takes one object of this size and content (SHA-256, hexadecimal), for 15 minutes, and the
    headers to send with it. An object that is there already is not replaced.
    """
    checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
    url = client("s3").generate_presigned_url(
        "put_object",
        Params={
            "Bucket": settings().data_bucket,
            "Key": key,
            "ContentLength": size_bytes,
            "ChecksumSHA256": checksum,
            "IfNoneMatch": "*",
        },
        ExpiresIn=SIGNED_URL_SECONDS,
    )
    return url, {"Content-Length": str(size_bytes), "x-amz-checksum-sha256": checksum, "If-None-Match": "*"}


def county_ids() -> Iterator[str]:
    """The counties that have objects."""
    pages = (
        client("s3")
        .get_paginator("list_objects_v2")
        .paginate(Bucket=settings().data_bucket, Prefix=county_key(""), Delimiter="/")
    )
    for page in pages:
        for prefix in page.get("CommonPrefixes", []):
            yield prefix["Prefix"].removeprefix(county_key("")).removesuffix("/")


def listed(prefix: str, limit: int) -> list[tuple[str, int, datetime]]:
    """The first objects below a prefix: the rest of each key, its size, and when it was stored."""
    page = client("s3").list_objects_v2(Bucket=settings().data_bucket, Prefix=prefix, MaxKeys=limit)
    entries = page.get("Contents", [])
    return [(entry["Key"].removeprefix(prefix), entry["Size"], entry["LastModified"]) for entry in entries]


def listed_after(prefix: str, start: str, limit: int) -> list[str]:
    """The rests of the keys of the first objects below a prefix from `start` on, in their order."""
    page = client("s3").list_objects_v2(
        Bucket=settings().data_bucket, Prefix=prefix, StartAfter=prefix + start, MaxKeys=limit
    )
    return [entry["Key"].removeprefix(prefix) for entry in page.get("Contents", [])]
