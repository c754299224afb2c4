"""Objects in the data bucket. A county's keys begin with `counties/{county_id}/`."""

from pathlib import Path

from shared.aws import client
from shared.problems import NotFound
from shared.settings import settings

SIGNED_URL_SECONDS = 900
RAW_ARCHIVE = ("archive", "raw")
"""The tag of what the bucket keeps for as long as the raw archive is kept, and no longer."""


def county_key(county_id: str, *parts: str) -> str:
    """The key of a county's object: `counties/{county_id}/a/b`."""
    return "/".join(("counties", county_id, *parts))


def put(
    key: str, body: bytes, content_type: str = "application/octet-stream", tag: tuple[str, str] | None = None
) -> None:
    """Store an object, with its tag; an object of that key is replaced."""
    tagging = {"Tagging": "=".join(tag)} if tag is not None else {}
    client("s3").put_object(Bucket=settings().data_bucket, Key=key, Body=body, ContentType=content_type, **tagging)


def put_file(key: str, path: Path, content_type: str = "application/octet-stream") -> None:
    """Store a file, in parts where it is large."""
    client("s3").upload_file(str(path), settings().data_bucket, key, ExtraArgs={"ContentType": content_type})


def get(key: str) -> bytes:
    """Read an object. Raises NotFound."""
    s3 = client("s3")
    try:
        return s3.get_object(Bucket=settings().data_bucket, Key=key)["Body"].read()
    except s3.exceptions.NoSuchKey as error:
        raise NotFound(f"There is no object {key}.", slug="object-not-found") from error


def exists(key: str) -> bool:
    """Whether there is an object of that key."""
    s3 = client("s3")
    try:
        s3.head_object(Bucket=settings().data_bucket, Key=key)
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchKey", "NotFound"):
            return False
        raise
    return True


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
