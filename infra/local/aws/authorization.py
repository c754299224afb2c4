"""Every call of AWS held against the role of the function that makes it, and refused as AWS refuses it."""

import json
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

from infra.local.aws.clients import SECRET_KEY
from infra.local.aws.policies import Access, Statement, allows, statements
from infra.local.aws.required_permissions import (
    Environ,
    UnknownOperationError,
    credential,
    is_published_keys,
    required,
)
from infra.local.aws.signed_addresses import is_signed_address, signature_fault
from infra.local.cloud_assembly import ACCOUNT
from infra.local.lambda_runtime import access_key
from infra.local.template import Function, Template

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Refusal:
    """AWS's answer to a call that is not allowed."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True)
class AccessRecord:
    """An action that a function has asked for, at least once, and whether its role allows it."""

    function: str
    action: str
    allowed: bool


class Authorization:
    """Decides about calls by the roles and resource policies of a template.

    A call that no function has signed is the operator's (`aws --endpoint-url`), who may do everything; one that is not
    signed at all may do what needs no permission.
    """

    def __init__(self, template: Template, record: Callable[[AccessRecord], object] = lambda _: None) -> None:
        """`record` is given each new combination of function, action and outcome."""
        self._functions = {access_key(function.name): function for function in template.functions()}
        self._roles = _statements(template.role_policies())
        self._resources = _statements(template.resource_policies())
        self._record = record
        self._recorded: set[AccessRecord] = set()
        self._lock = threading.Lock()

    def refusal(self, environ: Environ) -> Refusal | None:
        """AWS's refusal of a request; None for one that is allowed."""
        signed = credential(environ)
        function = self._functions.get(signed[0]) if signed else None
        if is_signed_address(environ) and (fault := signature_fault(environ, SECRET_KEY, datetime.now(UTC))):
            return _refused_by_s3(fault.status, fault.code, fault.message)
        if signed is not None and function is None:
            return None
        service = signed[1] if signed else _unsigned_service(environ)
        try:
            needed = required(environ, service)
        except UnknownOperationError as error:
            return self._refused(service, str(error), environ)
        if function is None:
            return self._refused(service, "the request is not signed", environ) if needed else None
        for access in needed:
            if not self._allows(function, access):
                return self._refused(service, _reason(function, access), environ)
        return None

    def hides_missing(self, environ: Environ) -> Refusal | None:
        """S3's refusal in place of a 404: a role that may not list the bucket does not learn what is missing."""
        signed = credential(environ)
        function = self._functions.get(signed[0]) if signed else None
        if function is None or signed is None or signed[1] != "s3":
            return None
        bucket = required(environ, "s3")[0].resource.partition("/")[0]
        access = Access("s3:ListBucket", bucket, {"aws:SecureTransport": "true"})
        return None if self._allows(function, access) else self._refused("s3", _reason(function, access), environ)

    def _allows(self, function: Function, access: Access) -> bool:
        own = self._roles.get(function.role, ())
        of_resource = self._resources.get(access.resource.partition("/")[0]) or self._resources.get(access.resource, ())
        allowed = allows(own, of_resource, function.role, access)
        record = AccessRecord(function.name, access.action, allowed)
        with self._lock:
            is_new = record not in self._recorded
            self._recorded.add(record)
        if is_new:
            self._record(record)
        return allowed

    def _refused(self, service: str, reason: str, environ: Environ) -> Refusal:
        _log.warning("AccessDenied: %s", reason)
        if service == "s3":
            return _refused_by_s3("403 Forbidden", "AccessDenied", reason)
        is_rest = "HTTP_X_AMZ_TARGET" not in environ
        return Refusal(
            "403 Forbidden" if is_rest else "400 Bad Request",
            [("Content-Type", "application/json"), ("x-amzn-ErrorType", "AccessDeniedException")],
            json.dumps({"__type": "AccessDeniedException", "message": reason}).encode(),
        )


def _refused_by_s3(status: str, code: str, message: str) -> Refusal:
    body = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    return Refusal(status, [("Content-Type", "application/xml")], body.encode())


def _statements(documents: Mapping[str, Iterable[Mapping[str, Any]]]) -> dict[str, tuple[Statement, ...]]:
    return {arn: tuple(s for document in each for s in statements(document)) for arn, each in documents.items()}


def _unsigned_service(environ: Environ) -> str:
    target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
    of_cognito = target.startswith("AWSCognitoIdentityProviderService") or is_published_keys(environ)
    return "cognito-idp" if of_cognito else "s3"


def _reason(function: Function, access: Access) -> str:
    role = function.role.rpartition("/")[2]
    return (
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{function.name} is not authorized to perform:"
        f" {access.action} on resource: {access.resource} because no identity-based policy allows the"
        f" {access.action} action"
    )
