"""Versions of a county's configuration and mapping."""

from typing import Any

from sqlalchemy import CheckConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.models.base import Created, Model, Tenant


class CountyVersion(Tenant, Model):
    """A county's configuration and mapping as they stood from one change to the next.

    `changed` is what the change replaced: configuration, mapping, or both at its onboarding. `changed_by` is unknown of
    the version that stood when versions were first kept.
    """

    __tablename__ = "county_versions"

    version: Mapped[int] = mapped_column(primary_key=True)
    changed: Mapped[str]
    configuration: Mapped[dict[str, Any]] = mapped_column(JSONB)
    mapping: Mapped[str]
    changed_by: Mapped[str | None]
    changed_at: Mapped[Created]

    __table_args__ = (CheckConstraint("changed IN ('both', 'configuration', 'mapping')", name="changed"),)
