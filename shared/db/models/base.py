"""Base classes and column types of the tables."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from sqlalchemy import DateTime, MetaData, Numeric, String, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Money = Annotated[Decimal, mapped_column(Numeric(14, 2))]
RollMoney = Annotated[Decimal, mapped_column(Numeric(18, 2))]
"""Sums over a whole roll."""
Quantity = Annotated[Decimal, mapped_column(Numeric(14, 2))]
Count = Annotated[Decimal, mapped_column(Numeric(5, 2))]
"""A number of rooms or stories, halves and quarters included."""
Timestamp = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Created = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=func.now())]


PLATFORM_SOURCE = "terrafusion"
"""The source system of rows that no system of the county's has: those that the platform made itself."""


class Model(DeclarativeBase):
    """The root of the models; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Tenant:
    """A row that belongs to one county; the first part of its key."""

    county_id: Mapped[str] = mapped_column(String, primary_key=True, sort_order=-1)


class Synced(Tenant):
    """A row whose source is the county's system: where it comes from, which version it is, and since when.

    `row_hash` is the hash of what the source said; it stays when a person edits the row, so that the edit
    stands until the source's own record changes. `retired_at` is set when the source no longer has the row.
    """

    source_system: Mapped[str]
    sync_run_id: Mapped[UUID | None]
    row_hash: Mapped[str]
    version: Mapped[int]
    valid_from: Mapped[Timestamp]
    retired_at: Mapped[Timestamp | None]
