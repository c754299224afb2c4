"""Figures of ratio studies that are shown beside other things."""

from uuid import UUID

from sqlalchemy import Double
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.models.base import Model, Tenant


class NeighborhoodRatio(Tenant, Model):
    """A neighborhood's figures in a ratio study of the whole county; without statistics where its sales are too few."""

    __tablename__ = "neighborhood_ratios"

    study_id: Mapped[UUID] = mapped_column(primary_key=True)
    neighborhood: Mapped[str] = mapped_column(primary_key=True)
    sales: Mapped[int]
    median: Mapped[float | None] = mapped_column(Double)
    cod: Mapped[float | None] = mapped_column(Double)
    prd: Mapped[float | None] = mapped_column(Double)
