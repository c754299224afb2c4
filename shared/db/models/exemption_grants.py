"""Exemptions that are applied for and decided here, and their documents."""

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, column, text
from sqlalchemy.dialects.postgresql import JSONB, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.models.base import Created, Model, Money, Tenant, Timestamp


class ExemptionGrant(Tenant, Model):
    """An application for an exemption, and from its decision on the exemption itself.

    `rule` is the county's rule of the type as it was at the application, `owners` are the parcel's owners of that day
    (name and mailing address). Both years are included; `renewal_year` is the roll year from which on it needs a
    renewal. Two of one type on one parcel have no year in common: the database refuses it.
    """

    __tablename__ = "exemption_grants"

    grant_id: Mapped[UUID] = mapped_column(primary_key=True)
    request_digest: Mapped[str]
    property_id: Mapped[str]
    exemption_type: Mapped[str]
    rule: Mapped[dict[str, Any]] = mapped_column(JSONB)
    status: Mapped[str]
    applicant: Mapped[str]
    note: Mapped[str | None]
    owners: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    first_year: Mapped[int]
    last_year: Mapped[int]
    renewal_year: Mapped[int | None]
    frozen_value: Mapped[Money | None]
    applied_by: Mapped[str]
    applied_at: Mapped[Created]
    decided_by: Mapped[str | None]
    decided_at: Mapped[Timestamp | None]
    reason: Mapped[str | None]
    version: Mapped[int]

    __table_args__ = (
        CheckConstraint("status IN ('applied', 'granted', 'denied', 'withdrawn', 'ended')", name="status"),
        CheckConstraint("first_year <= last_year", name="years"),
        CheckConstraint("decided_by <> applied_by", name="second_person"),
        ExcludeConstraint(
            (column("county_id"), "="),
            (column("property_id"), "="),
            (column("exemption_type"), "="),
            (text("int4range(first_year, last_year, '[]')"), "&&"),
            where=text("status IN ('applied', 'granted')"),
            using="gist",
            name="ex_exemption_grants_one_at_a_time",
        ),
        Index(None, "county_id", "property_id"),
    )


class ExemptionDocument(Tenant, Model):
    """A document of an application: what was announced of the file. The object is in the county's folder."""

    __tablename__ = "exemption_documents"

    grant_id: Mapped[UUID] = mapped_column(primary_key=True)
    document_id: Mapped[UUID] = mapped_column(primary_key=True)
    request_digest: Mapped[str]
    filename: Mapped[str]
    content_type: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    added_by: Mapped[str]
    added_at: Mapped[Created]
