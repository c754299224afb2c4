"""Routes of signing in."""

from typing import Any

from aws_lambda_powertools.event_handler import Response

from functions.auth.schemas import (
    Challenge,
    ChallengeRequest,
    LoginRequest,
    Me,
    RefreshRequest,
    Tokens,
    TotpConfirmation,
    TotpSecret,
)
from functions.auth.service import second_factor, sign_in
from shared.access import Permission
from shared.api import Api, answer, no_content

api = Api("auth")
handler = api.handler


@api.post("/v1/auth/login", permission=None, summary="Sign in")
def login(body: LoginRequest) -> Response[Tokens | Challenge]:
    """Tokens for a user's name and password, or the challenge to set a new password at the first login."""
    return answer(sign_in.login(body))


@api.post("/v1/auth/challenge", permission=None, summary="Answer a login's challenge")
def challenge(body: ChallengeRequest) -> Response[Tokens | Challenge]:
    """A new password at the first login, or the code of an authenticator app: tokens, or the next challenge."""
    return answer(sign_in.answer_challenge(body))


@api.post("/v1/auth/refresh", permission=None, summary="Renew the access token")
def refresh(body: RefreshRequest) -> Response[Tokens]:
    """A new access token, with the roles and counties as they are now."""
    return answer(sign_in.refresh(body.refresh_token))


@api.post("/v1/auth/logout", permission=None, summary="Sign out", status=204)
def logout(body: RefreshRequest) -> Response[Any]:
    """Revoke the refresh token, which gives no access token any more.

    One that it has given opens the API until it expires, for 15 minutes at most.
    """
    sign_in.logout(body.refresh_token)
    return no_content()


@api.post("/v1/auth/totp", permission=Permission.SIGN_IN, summary="Begin a second factor")
def begin_second_factor() -> Response[TotpSecret]:
    """A secret for an authenticator app. It is in use once one of the app's codes has confirmed it."""
    return answer(second_factor.new_secret(api.bearer_token, api.caller))


@api.post("/v1/auth/totp/confirm", permission=Permission.SIGN_IN, summary="Confirm a second factor", status=204)
def confirm_second_factor(body: TotpConfirmation) -> Response[Any]:
    """From now on each sign-in asks for a code of the app."""
    second_factor.confirm(api.bearer_token, body)
    return no_content()


@api.delete("/v1/auth/totp", permission=Permission.SIGN_IN, summary="End a second factor")
def end_second_factor() -> Response[None]:
    """The password alone signs in. An administrator who resets the password of somebody without the app ends it too."""
    second_factor.turn_off(api.bearer_token)
    return no_content()


@api.get("/v1/auth/me", permission=Permission.SIGN_IN, summary="Who am I")
def me() -> Response[Me]:
    """The caller's name, roles, counties and permissions."""
    caller = api.caller
    return answer(
        Me(
            subject=caller.subject,
            username=caller.username,
            roles=list(caller.roles),
            counties=sorted(caller.county_ids),
            permissions=sorted(caller.permissions),
        )
    )
