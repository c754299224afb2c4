"""Signatures of the Standard Webhooks specification (https://www.standardwebhooks.com), version 1."""

import base64
import hashlib
import hmac
from uuid import UUID

SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix by which the specification knows a secret


def webhook_secret(signing_key: str, county_id: str, webhook_id: UUID, secret_version: int) -> str:
    """The secret of a webhook, derived from the stage's signing key, so that no secret is stored with the webhook."""
    subject = f"{county_id}/{webhook_id}/{secret_version}".encode()
    derived = hmac.new(signing_key.encode(), subject, hashlib.sha256).digest()
    return SECRET_PREFIX + base64.b64encode(derived).decode()


def signed_headers(secret: str, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of a delivery: its id, its time, and the HMAC-SHA256 over both and the body."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    content = b".".join((message_id.encode(), str(timestamp).encode(), body))
    digest = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return {"webhook-id": message_id, "webhook-timestamp": str(timestamp), "webhook-signature": f"v1,{digest}"}
