"""Signed addresses of S3, checked as S3 checks them: moto answers any.

An address is good for its method, key, query and signed headers alone, from its time for as long as it says ("Signature
Version 4 query string authentication" in the S3 API Reference).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from typing import Any
from urllib.parse import parse_qs

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

MAX_VALIDITY = timedelta(days=7)
_FIELDS = ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")
_TIME = "%Y%m%dT%H%M%SZ"
_CREDENTIAL = re.compile(r"(?P<key>[^/]+)/(?P<day>\d{8})/(?P<region>[^/]+)/s3/aws4_request")
_WITHOUT_PREFIX = ("CONTENT_LENGTH", "CONTENT_TYPE")
"""Variables of WSGI for headers that have no HTTP_ before them."""


@dataclass(frozen=True)
class SignatureFault:
    """S3's reason to refuse a signed address."""

    status: str
    code: str
    message: str


def is_signed_address(environ: Mapping[str, Any]) -> bool:
    """True for a request whose query, and no header, claims to be signed."""
    return "HTTP_AUTHORIZATION" not in environ and "X-Amz-" in environ.get("QUERY_STRING", "")


def signature_fault(environ: Mapping[str, Any], secret_key: str, now: datetime) -> SignatureFault | None:
    """The fault of a signed address at a moment; None for one that is whole and in its time."""
    query = parse_qs(environ["QUERY_STRING"], keep_blank_values=True)
    fields = {name: query.get(f"X-Amz-{name}", [""])[0] for name in _FIELDS}
    credential = _CREDENTIAL.fullmatch(fields["Credential"])
    try:
        signed_at = datetime.strptime(fields["Date"], _TIME).replace(tzinfo=UTC)
        validity = timedelta(seconds=int(fields["Expires"]))
    except (ValueError, OverflowError):
        return _malformed("X-Amz-Date and X-Amz-Expires must be a time and a number of seconds")
    if credential is None or fields["Algorithm"] != "AWS4-HMAC-SHA256" or not fields["SignedHeaders"]:
        return _malformed("the query lacks parts of a signature of version 4")
    if not timedelta(0) <= validity <= MAX_VALIDITY:
        return _malformed("X-Amz-Expires must be less than a week (in seconds)")
    if now > signed_at + validity:
        return SignatureFault("403 Forbidden", "AccessDenied", "Request has expired")
    if not compare_digest(_signature(environ, credential, fields, secret_key), fields["Signature"]):
        return SignatureFault(
            "403 Forbidden",
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided.",
        )
    return None


def _signature(
    environ: Mapping[str, Any], credential: "re.Match[str]", fields: Mapping[str, str], secret_key: str
) -> str:
    """The signature of the request as it came, computed by botocore, which signs the addresses that functions give."""
    path, _, query = str(environ.get("RAW_URI") or environ["REQUEST_URI"]).partition("?")
    unsigned = "&".join(pair for pair in query.split("&") if not pair.startswith("X-Amz-Signature="))
    request = AWSRequest(
        method=environ["REQUEST_METHOD"],
        url=f"http://{environ.get('HTTP_HOST', '')}{path}?{unsigned}",
        headers={name: _header(environ, name) for name in fields["SignedHeaders"].split(";")},
    )
    request.context["timestamp"] = fields["Date"]
    signer = S3SigV4QueryAuth(Credentials(credential["key"], secret_key), "s3", credential["region"], expires=0)
    to_sign = signer.string_to_sign(request, signer.canonical_request(request))
    return str(signer.signature(to_sign, request))


def _header(environ: Mapping[str, Any], name: str) -> str:
    variable = name.upper().replace("-", "_")
    return str(environ.get(variable if variable in _WITHOUT_PREFIX else f"HTTP_{variable}", ""))


def _malformed(message: str) -> SignatureFault:
    return SignatureFault("400 Bad Request", "AuthorizationQueryParametersError", message)
