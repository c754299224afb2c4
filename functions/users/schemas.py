"""Requests and answers of a county's users."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import StringConstraints, model_validator

from shared.access import Role
from shared.counties.configuration import CountyRole
from shared.schemas import RequestSchema, Schema

MAX_USERNAME = 128
"""Cognito's limit for a user name, which an e-mail address is here."""


class Invitation(RequestSchema):
    """Whom to invite. The e-mail address, in lower case, is the name to sign in with."""

    email: Annotated[
        str,
        StringConstraints(
            strip_whitespace=True,
            to_lower=True,
            max_length=MAX_USERNAME,
            pattern=r"^\s*[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}\s*$",
        ),
    ]
    role: CountyRole


class UserChange(RequestSchema):
    """A change of a user: of the role, of whether the user may sign in, or of both."""

    role: CountyRole | None = None
    enabled: bool | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> "UserChange":
        if self.role is None and self.enabled is None:
            raise ValueError("name the role, enabled, or both")
        return self


class User(Schema):
    """A user who works for the county. Other counties of the user's are not shown.

    `status` is `invited` until the first sign-in and `password_reset` until a new password is set. Nothing is known of
    the invitation (`invited_by`, `invited_at`) of a user whom the platform's operator made.
    """

    username: str
    email: str
    roles: list[Role]
    enabled: bool
    status: Literal["invited", "active", "password_reset"]
    invited_by: str | None
    invited_at: datetime | None
    last_signed_in_at: datetime | None
