"""Members of counties."""

from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.models.base import Model, Tenant, Timestamp


class CountyMember(Tenant, Model):
    """A user who works for a county: Cognito cannot list users by a custom attribute, so this table does.

    Invitations and sign-ins add rows. Roles, addresses and whether the user is enabled stand in the user pool alone,
    and so does membership itself: a row whose user works for the county no longer stands for nothing. A unit of work of
    several counties sees the rows of all of them.
    """

    __tablename__ = "county_members"

    username: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(server_default="1")
    """Of what the API has changed about the user; the ETag."""
    invitation_id: Mapped[UUID | None]
    request_digest: Mapped[str | None]
    """Of the request of the invitation."""
    invited_by: Mapped[str | None]
    invited_at: Mapped[Timestamp | None]
    last_signed_in_at: Mapped[Timestamp | None]

    __table_args__ = (Index(None, "county_id", "invitation_id"),)
