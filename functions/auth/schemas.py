"""Requests and answers of signing in."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from shared.schemas import RequestSchema, Schema

Secret = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
TotpCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
"""A time-based one-time password (RFC 6238)."""
ChallengeName = Literal["NEW_PASSWORD_REQUIRED", "SOFTWARE_TOKEN_MFA"]
Username = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class LoginRequest(RequestSchema):
    """A user's name and password."""

    username: Username
    password: Secret


class ChallengeRequest(RequestSchema):
    """The answer to a challenge: the session of the login, and what it asks for.

    That is `new_password`, to use from now on, for NEW_PASSWORD_REQUIRED, and `code`, the six digits that the user's
    authenticator app shows, for SOFTWARE_TOKEN_MFA.
    """

    username: Username
    session: Annotated[str, StringConstraints(min_length=20, max_length=2048)]
    new_password: Secret | None = None
    code: TotpCode | None = None

    @model_validator(mode="after")
    def _one_answer(self) -> Self:
        if (self.new_password is None) == (self.code is None):
            raise ValueError("answer with new_password or with code, as the challenge asks")
        return self


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
    """The login wants more: POST /v1/auth/challenge with this session, and a new password or a code of the app."""

    challenge: ChallengeName
    session: str


class TotpSecret(Schema):
    """A secret for an authenticator app: as text, and as the address that the app reads from a QR code.

    It is in use once a code of the app's has confirmed it.
    """

    secret: str
    uri: str


class TotpConfirmation(RequestSchema):
    """A code of the app that has the new secret."""

    code: TotpCode


class Me(Schema):
    """The caller, as the access token tells."""

    subject: str
    username: str
    roles: list[str]
    counties: list[str]
    permissions: list[str]
