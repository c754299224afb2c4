"""Requests and answers of signing in."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.schemas import RequestSchema, Schema

Secret = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
Username = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class LoginRequest(RequestSchema):
    """A user's name and password."""

    username: Username
    password: Secret


class ChallengeRequest(RequestSchema):
    """The answer to NEW_PASSWORD_REQUIRED: the session of the login, and the password to use from now on."""

    username: Username
    session: Annotated[str, StringConstraints(min_length=20, max_length=2048)]
    new_password: Secret


class RefreshRequest(RequestSchema):
    """A refresh token."""

    refresh_token: Secret


class Tokens(Schema):
    """Tokens of a signed-in caller. `expires_in` is seconds; a refresh gives no new refresh token."""

    access_token: str
    id_token: str
    refresh_token: str | None = None
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the scheme's name
    expires_in: int = Field(gt=0)


class Challenge(Schema):
    """The login wants more: POST /v1/auth/challenge with this session and a new password."""

    challenge: Literal["NEW_PASSWORD_REQUIRED"]
    session: str


class Me(Schema):
    """The caller, as the access token tells."""

    subject: str
    username: str
    roles: list[str]
    counties: list[str]
    permissions: list[str]
