"""Second factors of Cognito's users: a secret of each user's own, and codes that are verified.

Moto has one secret for everybody, verifies no code by default, and believes the name that is sent beside a session.
"""

import base64
import secrets
import time
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from moto.cognitoidp import models
from moto.cognitoidp.exceptions import CodeMismatchException, NotAuthorizedError

from infra.local.aws.replacements import Replacements
from infra.local.state import StateStore

_SECRET_BYTES = 20
"""RFC 4226, section 4: 160 bits are recommended."""
_STEP_S = 30
_KIND = "second_factor"


class SecondFactors:
    """Users' secrets: one that waits for its first code, and one in use. A code signs in once."""

    def __init__(self, state: StateStore) -> None:
        self._state = state

    def install(self, replacements: Replacements) -> None:
        """Replace what moto does of them."""
        backend = models.CognitoIdpBackend
        answer_challenge = backend.respond_to_auth_challenge

        def associate(each: Any, access_token: str, session: str) -> dict[str, str]:
            user = _user_of_token(each, access_token, session)
            secret = base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()
            self._state.put(_KIND, user.id, self._of(user) | {"waiting": secret})
            return {"SecretCode": secret}

        def verify(each: Any, access_token: str, session: str, user_code: str, device: str) -> dict[str, str]:
            user = _user_of_token(each, access_token, session)
            waiting = self._of(user).get("waiting")
            if waiting is None:
                raise CodeMismatchException(f"Code mismatch ({device})")
            step = _step_of(str(waiting), user_code)
            self._state.put(_KIND, user.id, {"used": waiting, "step": step})
            user.token_verified = True
            return {"Status": "SUCCESS"}

        def respond(each: Any, session: str, client_id: str, challenge_name: str, responses: dict[str, str]) -> Any:
            if challenge_name == "SOFTWARE_TOKEN_MFA":
                self._require_code(each, session, responses)
            return answer_challenge(each, session, client_id, challenge_name, responses)

        replacements.replace(backend, "associate_software_token", associate)
        replacements.replace(backend, "verify_software_token", verify)
        replacements.replace(backend, "respond_to_auth_challenge", respond)

    def _require_code(self, backend: Any, session: str, responses: dict[str, str]) -> None:
        if session not in backend.sessions:
            raise NotAuthorizedError(session)
        username, pool = backend.sessions[session]
        if str(responses.get("USERNAME")) != username:
            raise NotAuthorizedError(username)
        user = backend.admin_get_user(pool.id, username)
        factor = self._of(user)
        step = _step_of(str(factor.get("used", "")), responses.get("SOFTWARE_TOKEN_MFA_CODE", ""))
        if step <= factor.get("step", 0):
            raise CodeMismatchException("Your software token has already been used once.")
        self._state.put(_KIND, user.id, factor | {"step": step})

    def _of(self, user: Any) -> dict[str, Any]:
        return dict(self._state.get(_KIND, user.id) or {})


def _user_of_token(backend: Any, access_token: str, session: str) -> Any:
    for pool in backend.user_pools.values():
        if access_token and access_token in pool.access_tokens:
            return backend.admin_get_user(pool.id, pool.access_tokens[access_token][1])
    raise NotAuthorizedError(access_token or session)


def _step_of(secret: str, code: str) -> int:
    """The number of the half minute whose code this is: now, or the one before or after, as clocks differ."""
    now = int(time.time()) // _STEP_S
    if secret and len(code) == 6 and code.isascii() and code.isdigit():
        totp = TOTP(base64.b32decode(secret), 6, SHA1(), _STEP_S)  # noqa: S303 - RFC 6238's, which apps have
        for step in (now, now - 1, now + 1):
            try:
                totp.verify(code.encode(), step * _STEP_S)
            except InvalidToken:
                continue
            return step
    raise CodeMismatchException("Invalid code received for user")
