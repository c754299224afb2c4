"""The index by which a property is found from a text of its address. `shared.situs.index` keeps it."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.models.base import Created, Model, Tenant


class SitusAddress(Tenant, Model):
    """A property's situs address in one way of writing (`shared.situs.addresses`), "" for what it lacks, as of the
    property's `version`.
    """

    __tablename__ = "situs_addresses"

    property_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    street: Mapped[str]
    number: Mapped[str]
    unit: Mapped[str]
    city: Mapped[str]
    zip: Mapped[str]

    __table_args__ = (Index(None, "county_id", "street", "number"),)


class SitusStreet(Tenant, Model):
    """A street of a county's situs addresses, in each city that it runs through: what a misspelled one is compared
    with, all of a county's at once. No index by trigrams would be searched under row-level security.
    """

    __tablename__ = "situs_streets"

    street: Mapped[str] = mapped_column(primary_key=True)
    city: Mapped[str] = mapped_column(primary_key=True)


class SitusIndex(Tenant, Model):
    """The last time at which a county's addresses were all indexed."""

    __tablename__ = "situs_indexes"

    addresses: Mapped[int]
    refreshed_at: Mapped[Created]
