"""The functions of the small deployment, as Lambda would find them."""

import base64
import json
import os
import tempfile
import time
from typing import Any


class RetryableError(Exception):
    """An error that the machines retry."""


def _s3() -> Any:
    import boto3

    return boto3.client("s3")


def migrate(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Counts its calls in the database, as the schema's owner."""
    import boto3
    from pg8000.native import Connection

    manager: Any = boto3.client("secretsmanager")
    secret = json.loads(manager.get_secret_value(SecretId=os.environ["OWNER_SECRET"])["SecretString"])
    connection = Connection(
        secret["username"],
        password=secret["password"],
        host=secret["host"],
        port=int(secret["port"]),
        database=secret["dbname"],
        ssl_context=False,
    )
    connection.run("CREATE TABLE IF NOT EXISTS deployed (request text)")
    connection.run("INSERT INTO deployed VALUES (:kind)", kind=event["RequestType"])
    connection.close()
    return {"PhysicalResourceId": "schema"}


def pre_token(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Scopes by group, the counties as a claim."""
    scopes = {"Assessor": ["view_properties", "edit_property"], "Auditor": ["view_properties"]}
    groups = event["request"]["groupConfiguration"]["groupsToOverride"]
    granted = [f"terrafusion/{scope}" for group in groups for scope in scopes[group]]
    counties = event["request"]["userAttributes"].get("custom:counties", "")
    event["response"]["claimsAndScopeOverrideDetails"] = {
        "accessTokenGeneration": {
            "claimsToAddOrOverride": {"counties": counties, "sub": "someone else"},
            "scopesToAdd": granted,
            "scopesToSuppress": ["aws.cognito.signin.user.admin"],
        },
        "idTokenGeneration": {"claimsToSuppress": ["custom:counties"]},
    }
    return event


def answer(event: dict[str, Any], context: Any) -> Any:
    """Says what it was asked; some paths answer in their own way."""
    if event["path"] == "/v1/files/redirect":
        return {"statusCode": 303, "headers": {"Location": "http://elsewhere/"}, "body": ""}
    if event["path"] == "/v1/files/cookies":
        return {"statusCode": 200, "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]}, "body": "{}"}
    if event["path"] == "/v1/files/binary":
        body = base64.b64encode(bytes(range(256))).decode()
        return {"statusCode": 200, "headers": {"Content-Type": "image/png"}, "body": body, "isBase64Encoded": True}
    if event["path"].startswith("/v1/files/objects/"):
        return {"statusCode": 200, "body": json.dumps(_read(event["path"].removeprefix("/v1/files/objects/")))}
    if event["path"].startswith("/v1/files/sized/"):
        return {"statusCode": 200, "body": "x" * int(event["path"].removeprefix("/v1/files/sized/"))}
    if event["path"] == "/v1/files/broken":
        raise ValueError("a secret detail")
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps({"event": event, "bucket": os.environ["DATA_BUCKET"], "function": context.function_name}),
    }


def _read(key: str) -> str:
    """An object's text, or the error that S3 answers."""
    from botocore.exceptions import ClientError

    try:
        return str(_s3().get_object(Bucket=os.environ["DATA_BUCKET"], Key=key)["Body"].read().decode())
    except ClientError as error:
        return str(error)


def plan(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Writes the list of items; fails the first time when it is told to."""
    bucket, run = os.environ["DATA_BUCKET"], event["run"]
    if event.get("fails") == "always":
        raise ValueError("the source cannot be read")
    if event.get("fails") == "state too large":
        return {"key": "x" * 300_000}
    if event.get("fails") == "memory":
        kept = [b"x" * (1 << 20) for _ in range(300)]
        time.sleep(1)
        return {"key": str(len(kept))}
    if event.get("fails") == "scratch":
        with tempfile.TemporaryFile() as file:
            while True:
                file.write(b"x" * (1 << 20))
                file.flush()
                time.sleep(0.005)
    if event.get("fails") == "once" and not _exists(bucket, f"runs/{run}/tried"):
        _s3().put_object(Bucket=bucket, Key=f"runs/{run}/tried", Body=b"")
        raise RetryableError("busy")
    items = [{"run": run, "number": number, "how": event.get("how")} for number in range(event["items"])]
    _s3().put_object(Bucket=bucket, Key=f"runs/{run}/items.json", Body=json.dumps(items).encode())
    return {"key": f"runs/{run}/items.json"}


def work(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """One item. The first time, item 0 dies or hangs when it is told to."""
    item = event["item"]
    bucket, key = os.environ["DATA_BUCKET"], f"runs/{item['run']}/started-{item['number']}"
    first = not _exists(bucket, key)
    _s3().put_object(Bucket=bucket, Key=key, Body=str(os.getpid()).encode())
    if first and item["number"] == 0 and item["how"] == "waits":
        time.sleep(2.5)
    if first and item["number"] == 0 and item["how"] == "hangs":
        time.sleep(60)
    _s3().put_object(Bucket=bucket, Key=f"runs/{item['run']}/done-{item['number']}", Body=str(os.getpid()).encode())
    return {}


def note(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Keeps the failure, and hands it on."""
    _s3().put_object(Bucket=os.environ["DATA_BUCKET"], Key="failure.json", Body=json.dumps(event).encode())
    return dict(event["failure"])


def settle(event: dict[str, Any], context: Any) -> None:
    """Keeps what EventBridge tells of an execution's end."""
    key = f"ends/{event['detail']['name']}"
    _s3().put_object(Bucket=os.environ["DATA_BUCKET"], Key=key, Body=json.dumps(event).encode())


def _exists(bucket: str, key: str) -> bool:
    return bool(_s3().list_objects_v2(Bucket=bucket, Prefix=key).get("Contents"))
