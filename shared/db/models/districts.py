"""Map layers that a county loads (districts, and any other), and their features by day."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Double, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.models.base import Created, Model, Tenant


class DistrictLayer(Tenant, Model):
    """A map layer of the county's: its districts of one kind, or any other features, lines and points included.

    `kind` is one of fire, school, voting, tax, other; `geometry_type` one of point, line, polygon, mixed, where several
    points count as points, and so on. `fields` are the attributes of its features, in the source's order:
    [{"name", "title", "kind"}], the kind one of text, integer, real, date, datetime, boolean. `source` is the
    description that its last version was loaded by, which names a secret and holds none. `version` counts its versions
    (`DistrictLayerVersion`). A layer with `closed_on` has no features from that day on; loading it again opens it.
    """

    __tablename__ = "district_layers"

    layer: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    kind: Mapped[str]
    geometry_type: Mapped[str]
    fields: Mapped[list[dict[str, str]]] = mapped_column(JSONB)
    source: Mapped[dict[str, Any]] = mapped_column(JSONB)
    version: Mapped[int]
    loaded_by: Mapped[str]
    loaded_at: Mapped[Created]
    closed_on: Mapped[date | None]

    __table_args__ = (
        CheckConstraint("kind IN ('fire', 'school', 'voting', 'tax', 'other')", name="kind"),
        CheckConstraint("geometry_type IN ('point', 'line', 'polygon', 'mixed')", name="geometry_type"),
    )


class DistrictLayerVersion(Tenant, Model):
    """A change of a layer: the day from which it holds, how many features it added, changed and removed (`counts`), and
    the job that loaded it; without a job, the layer was closed.
    """

    __tablename__ = "district_layer_versions"

    layer: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    valid_from: Mapped[date]
    counts: Mapped[dict[str, int]] = mapped_column(JSONB)
    job_id: Mapped[UUID | None]
    created_by: Mapped[str]
    created_at: Mapped[Created]


class District(Tenant, Model):
    """A feature of a layer, as it was from the day `valid_from` on until before `valid_to`; without that end, as it is.

    `attributes` are JSON by the layer's fields: a text for text, date and datetime (ISO 8601), a number for integer and
    real. `geometry` is well-known binary (WKB, two dimensions, little-endian) in degrees (WGS 84), of any type; `west`,
    `south`, `east` and `north` are its bounds. A window's features are found by the index `ix_districts_bounds`:

        county_id = ... AND layer = ... AND west <= :east AND east >= :west AND south <= :north AND north >= :south

    (Numbers rather than a `box`: under row-level security PostgreSQL searches no index by a box's operators.)
    """

    __tablename__ = "districts"

    layer: Mapped[str] = mapped_column(primary_key=True)
    district_id: Mapped[str] = mapped_column(primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    valid_to: Mapped[date | None]
    name: Mapped[str]
    attributes: Mapped[dict[str, Any]] = mapped_column(JSONB)
    geometry: Mapped[bytes] = mapped_column(LargeBinary)
    west: Mapped[float] = mapped_column(Double)
    south: Mapped[float] = mapped_column(Double)
    east: Mapped[float] = mapped_column(Double)
    north: Mapped[float] = mapped_column(Double)

    __table_args__ = (
        CheckConstraint("valid_from < valid_to", name="validity"),
        Index(
            "uq_districts_current",
            "county_id",
            "layer",
            "district_id",
            unique=True,
            postgresql_where=text("valid_to IS NULL"),
        ),
        Index(
            "ix_districts_bounds",
            "county_id",
            "layer",
            "west",
            "south",
            "east",
            "north",
            postgresql_using="gist",
        ),
    )
