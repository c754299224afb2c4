"""The permissions that a request to AWS needs (Service Authorization Reference), read from the request itself."""

import json
import re
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree

from infra.local.aws.policies import Access
from infra.local.resource_names import arn

Environ = dict[str, Any]

_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/[^/]+/([^/]+)/aws4_request")
_TLS = {"aws:SecureTransport": "true"}
"""The endpoint is on loopback, where nobody listens: it stands for TLS."""
_WITHOUT_IAM = frozenset(
    {
        "AssociateSoftwareToken",
        "ChangePassword",
        "ConfirmForgotPassword",
        "ForgotPassword",
        "GetTokensFromRefreshToken",
        "GetUser",
        "GlobalSignOut",
        "InitiateAuth",
        "RespondToAuthChallenge",
        "RevokeToken",
        "SetUserMFAPreference",
        "VerifySoftwareToken",
    }
)
"""Operations of Cognito that take a user's password or token instead of IAM's permission."""


class UnknownOperationError(Exception):
    """A call whose permissions are not known here."""


def credential(environ: Environ) -> tuple[str, str] | None:
    """Access key and service of a request's signature; None for an unsigned request."""
    query = parse_qs(environ.get("QUERY_STRING", ""))
    signed = environ.get("HTTP_AUTHORIZATION", "")
    if not signed and "X-Amz-Credential" in query:
        signed = f"Credential={query['X-Amz-Credential'][0]}"
    match = _CREDENTIAL.search(signed)
    return (match[1], match[2]) if match else None


def required(environ: Environ, service: str) -> list[Access]:
    """The permissions that a request needs, all of them. Raises UnknownOperationError.

    A body that is read for it is put back.
    """
    try:
        return _SERVICES[service](environ)
    except KeyError as error:
        operation = environ.get("HTTP_X_AMZ_TARGET") or f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        message = f"{service}, {operation}: the local cloud does not know which permission this needs"
        raise UnknownOperationError(message) from error


def _json(environ: Environ) -> Mapping[str, Any]:
    return dict(json.loads(_body(environ) or b"{}"))


def _body(environ: Environ) -> bytes:
    body = bytes(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
    environ["wsgi.input"] = BytesIO(body)
    return body


def _operation(environ: Environ) -> str:
    return str(environ["HTTP_X_AMZ_TARGET"]).rpartition(".")[2]


def _states(environ: Environ) -> list[Access]:
    body, operation = _json(environ), _operation(environ)
    return [Access(f"states:{operation}", body.get("executionArn") or body["stateMachineArn"])]


def _secrets(environ: Environ) -> list[Access]:
    body, operation = _json(environ), _operation(environ)
    secret = body.get("SecretId") or body["Name"]
    # a secret's ARN ends in six letters of Secrets Manager's own
    named = secret if secret.startswith("arn:") else arn("secretsmanager", f"secret:{secret}-??????")
    return [Access(f"secretsmanager:{operation}", named)]


def _events(environ: Environ) -> list[Access]:
    names = {entry.get("EventBusName", "default") for entry in _json(environ)["Entries"]}
    return [
        Access(f"events:{_operation(environ)}", name if name.startswith("arn:") else arn("events", f"event-bus/{name}"))
        for name in sorted(names)
    ]


def is_published_keys(environ: Environ) -> bool:
    """True for a request for a user pool's public keys, which anybody may read."""
    return environ["REQUEST_METHOD"] == "GET" and str(environ["PATH_INFO"]).endswith("/.well-known/jwks.json")


def _cognito(environ: Environ) -> list[Access]:
    if is_published_keys(environ):
        return []
    operation = _operation(environ)
    if operation in _WITHOUT_IAM:
        return []
    return [Access(f"cognito-idp:{operation}", arn("cognito-idp", f"userpool/{_json(environ)['UserPoolId']}"))]


_SCHEDULES = {"POST": "CreateSchedule", "PUT": "UpdateSchedule", "GET": "GetSchedule", "DELETE": "DeleteSchedule"}


def _scheduler(environ: Environ) -> list[Access]:
    collection, _, name = environ["PATH_INFO"].removeprefix("/").partition("/")
    if collection != "schedules":
        raise KeyError(collection)
    if not name:
        return [Access("scheduler:ListSchedules", "*")]
    query, body = parse_qs(environ.get("QUERY_STRING", "")), _json(environ)
    group = body.get("GroupName") or query.get("groupName", ["default"])[0]
    permissions = [
        Access(f"scheduler:{_SCHEDULES[environ['REQUEST_METHOD']]}", arn("scheduler", f"schedule/{group}/{name}"))
    ]
    if role := body.get("Target", {}).get("RoleArn"):
        permissions.append(Access("iam:PassRole", role, {"iam:PassedToService": "scheduler.amazonaws.com"}))
    return permissions


def _lambda(environ: Environ) -> list[Access]:
    name = re.fullmatch(r"/2015-03-31/functions/(.+)/invocations", environ["PATH_INFO"])
    if name is None:
        raise KeyError(environ["PATH_INFO"])
    function = name[1] if name[1].startswith("arn:") else arn("lambda", f"function:{name[1]}")
    return [Access("lambda:InvokeFunction", function)]


def _s3(environ: Environ) -> list[Access]:
    bucket, _, key = environ["PATH_INFO"].removeprefix("/").partition("/")
    bucket_arn = arn("s3", bucket, region="", account="")
    method, query = environ["REQUEST_METHOD"], parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    if not key:
        if method == "POST" and "delete" in query:
            document = ElementTree.fromstring(_body(environ))  # noqa: S314 - written by boto3 in our own functions
            keys = [element.text or "" for element in document.iter() if _is_key(element)]
            return [Access("s3:DeleteObject", f"{bucket_arn}/{each}", _TLS) for each in keys]
        return [Access({"GET": "s3:ListBucket", "HEAD": "s3:ListBucket"}[method], bucket_arn, _TLS)]
    actions = [_object_action(method, query)]
    if "HTTP_X_AMZ_TAGGING" in environ:
        actions.append("s3:PutObjectTagging")
    condition = environ.get("HTTP_IF_NONE_MATCH")
    context = _TLS if condition is None else {**_TLS, "s3:if-none-match": condition}
    permissions = [Access(action, f"{bucket_arn}/{key}", context) for action in actions]
    if source := environ.get("HTTP_X_AMZ_COPY_SOURCE", "").removeprefix("/"):
        permissions.append(Access("s3:GetObject", arn("s3", source, region="", account=""), _TLS))
    return permissions


def _is_key(element: ElementTree.Element) -> bool:
    return element.tag.rpartition("}")[2] == "Key"


def _object_action(method: str, query: Mapping[str, Any]) -> str:
    if "tagging" in query:
        return {"GET": "s3:GetObjectTagging", "PUT": "s3:PutObjectTagging"}[method]
    if method == "DELETE":
        return "s3:AbortMultipartUpload" if "uploadId" in query else "s3:DeleteObject"
    if method == "GET" and "uploadId" in query:
        return "s3:ListMultipartUploadParts"
    return {"GET": "s3:GetObject", "HEAD": "s3:GetObject", "PUT": "s3:PutObject", "POST": "s3:PutObject"}[method]


_SERVICES: Mapping[str, Callable[[Environ], list[Access]]] = {
    "cognito-idp": _cognito,
    "events": _events,
    "lambda": _lambda,
    "s3": _s3,
    "scheduler": _scheduler,
    "secretsmanager": _secrets,
    "states": _states,
}
