"""API Gateway's REQUEST authorizer of the routes that read: access tokens, keys, and what is open to everybody."""

from typing import Any

from functions.keys.service import authorization
from shared.db.limits import SIGN_IN, limited
from shared.observability import lambda_entry


@lambda_entry
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """The policy of a request's credentials for the route that it asks for.

    Raises an exception of the message "Unauthorized", from which the gateway makes its 401.
    """
    with limited(SIGN_IN):
        return authorization.authorize(event)
