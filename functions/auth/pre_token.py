"""Cognito's pre-token-generation trigger (event version 2): groups become scopes, the user's counties a claim.

The gateway then refuses what no role of the caller allows, and the handlers read the counties from a claim that
Cognito has signed.
"""

from typing import Any

from functions.auth.service import sign_in_notes, token_claims
from shared.db.limits import SIGN_IN, limited
from shared.observability import lambda_entry

_RENEWAL = "TokenGeneration_RefreshTokens"


@lambda_entry
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Fill the response of a token request; the event is Cognito's, and goes back to it."""
    with limited(SIGN_IN):
        event["response"] = token_claims.claims_and_scopes(event["request"])
    if event["triggerSource"] != _RENEWAL:
        sign_in_notes.note(event["userName"], event["request"])
    return event
