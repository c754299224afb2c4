"""Access keys."""

from uuid import UUID

from sqlalchemy import Double, Index
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.models.base import Created, Model, Tenant, Timestamp


class AccessKey(Tenant, Model):
    """The permissions of an access key in one of its counties; a key for several counties has a row in each.

    A unit of work of several counties sees those of all of them, and one that has set `app.key_digest` the rows of the
    key of that digest, in whichever counties: the gateway's authorizer knows a request's key before its county.
    """

    __tablename__ = "access_keys"

    key_id: Mapped[UUID] = mapped_column(primary_key=True)
    digest: Mapped[bytes]
    """SHA-256 of the secret, which itself is stored nowhere."""
    request_digest: Mapped[str]
    name: Mapped[str]
    owner: Mapped[str]
    """The subject of the owner's tokens."""
    owner_name: Mapped[str]
    permissions: Mapped[str]
    """Separated by blanks."""
    created_at: Mapped[Created]
    expires_at: Mapped[Timestamp]
    revoked_at: Mapped[Timestamp | None]
    last_used_at: Mapped[Timestamp | None]
    tokens: Mapped[float] = mapped_column(Double)
    refilled_at: Mapped[Created]
    """The bucket of requests: see `shared.counties.request_budget`."""

    __table_args__ = (Index(None, "digest"), Index(None, "owner"))
