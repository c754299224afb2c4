"""Uploads carried out as their callers and the machines do."""

import hashlib
from pathlib import PurePath
from typing import Any
from uuid import uuid4

import boto3

from functions.sync.handler import handler as sync_handler
from functions.uploads import tasks
from functions.uploads.handler import handler as uploads_handler
from shared.access import Role
from tests.aws import BUCKET
from tests.gateway import Answer, LambdaContext, call, claims_of
from tests.integration.sync.county import COUNTY
from tests.integration.sync.sync_steps import carry_out

COLLECTION = "/v1/counties/{county_id}/uploads"
ONE = COLLECTION + "/{upload_id}"
INSPECTIONS = "/v1/counties/{county_id}/upload-inspections"


def asked(method: str, part: str = "", upload_id: str | None = None, **options: Any) -> Answer:
    """A request about an upload, by the module that answers it; `by` is who asks."""
    by, role = options.pop("by", "a clerk"), options.pop("role", Role.ASSESSOR)
    county_id = options.pop("county_id", COUNTY)
    path = {"county_id": county_id} | ({} if upload_id is None else {"upload_id": upload_id})
    handler = sync_handler if part else uploads_handler
    resource = COLLECTION if upload_id is None else ONE + part
    return call(handler, method, resource, path=path, claims=claims_of(role, [COUNTY], by), **options)


def announced(content: bytes, filename: str = "corrections.csv", **more: Any) -> Answer:
    """Announce a file."""
    digest = hashlib.sha256(content).hexdigest()
    body = {"filename": filename, "size_bytes": len(content), "sha256": digest, **more}
    return asked("POST", body=body)


def stored(upload_id: str, content: bytes, filename: str) -> None:
    """Store the file where its address leads."""
    key = f"counties/{COUNTY}/uploads/{upload_id}{PurePath(filename).suffix}"
    boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=content)


def inspected(content: bytes, filename: str = "corrections.csv", **more: Any) -> dict[str, Any]:
    """Announce, send and inspect a file; the upload."""
    created = announced(content, filename, **more)
    assert created.status == 201, created.body
    upload_id = created.body["id"]
    stored(upload_id, content, filename)
    assert inspection_asked(upload_id).status == 202
    inspect(upload_id)
    upload: dict[str, Any] = asked("GET", "", upload_id).body
    return upload


def inspection_asked(upload_id: str) -> Answer:
    """Ask for the inspection of a file."""
    claims = claims_of(Role.ASSESSOR, [COUNTY], "a clerk")
    body = {"upload_id": upload_id}
    return call(uploads_handler, "POST", INSPECTIONS, path={"county_id": COUNTY}, claims=claims, body=body)


def inspect(upload_id: str) -> None:
    """Run the job that inspects a file."""
    tasks.handler({"county_id": COUNTY, "job_id": upload_id, "kind": "upload_inspection"}, LambdaContext())


def confirm(upload_id: str, mapping: str | None = None) -> str:
    """Confirm the mapping of an upload; the id of its run."""
    body = None if mapping is None else {"mapping": mapping}
    answer = asked("POST", "/confirm", upload_id, body=body, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status == 202, answer.body
    return str(answer.body["id"])


def compared(content: bytes, filename: str = "corrections.csv", mapping: str | None = None, **more: Any) -> str:
    """Bring a file until it waits for approval; the upload's id."""
    upload = inspected(content, filename, **more)
    assert upload["status"] == "awaiting_confirmation", upload["error"]
    assert carry_out(COUNTY, confirm(upload["id"], mapping)) == "awaiting_approval"
    return str(upload["id"])
