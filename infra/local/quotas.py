"""Quotas of AWS that the local cloud holds, so that what would fail there fails here.

From the quota pages of AWS Lambda, API Gateway, Step Functions and Cognito. None of them can be raised.
"""

import json
from typing import Any

PAYLOAD_BYTES = 6_291_556
"""Event and answer of a Lambda function that is waited for: "6 MB", by Lambda's own message."""
STATE_BYTES = 262_144
"""Input of an execution, in UTF-8; moto holds the results of tasks to the same."""
BODY_BYTES = 10 * 1024 * 1024
"""Body of a request to API Gateway."""
HEADER_BYTES = 10_240
"""Request line and headers of a request to a REST API, together."""
INTEGRATION_SECONDS = 29.0
"""API Gateway's wait for a function."""
ATTRIBUTE_CHARACTERS = 2_048
"""A string attribute of a Cognito user."""

_CERTAINLY_SMALL = 1_000_000
"""Bytes of a body of which no encoding in JSON takes more than six times as many."""


def exceeds_payload(body: str | None, document: Any) -> bool:
    """True where an event or an answer with this body is more than Lambda passes on. Small ones are not encoded."""
    if body is None or len(body) < _CERTAINLY_SMALL:
        return False
    return len(json.dumps(document, ensure_ascii=False).encode()) > PAYLOAD_BYTES
