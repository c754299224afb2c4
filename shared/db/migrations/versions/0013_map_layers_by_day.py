"""Map layers that counties load: features of any geometry type, versions by day, bounds that an index can search.

The two tables of districts that the first schema made have never had rows, and are made anew. `btree_gist` is for an
index by bounds: a `box` under GiST is not searched where row-level security is forced, because PostgreSQL does not
promise that its operators keep what they see to themselves (pg_proc.proleakproof), as it does for those of numbers.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"

_JSON = postgresql.JSONB(astext_type=sa.Text())
_KINDS = "'fire', 'school', 'voting', 'tax', 'other'"
_GEOMETRY_TYPES = "'point', 'line', 'polygon', 'mixed'"


def upgrade() -> None:
    op.drop_table("districts")
    op.drop_table("district_layers")
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.create_table(
        "district_layers",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("layer", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("geometry_type", sa.String(), nullable=False),
        sa.Column("fields", _JSON, nullable=False),
        sa.Column("source", _JSON, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("loaded_by", sa.String(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.CheckConstraint(f"kind IN ({_KINDS})", name=op.f("ck_district_layers_kind")),
        sa.CheckConstraint(f"geometry_type IN ({_GEOMETRY_TYPES})", name=op.f("ck_district_layers_geometry_type")),
        sa.PrimaryKeyConstraint("county_id", "layer", name="pk_district_layers"),
    )
    op.create_table(
        "district_layer_versions",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("layer", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("counts", _JSON, nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("county_id", "layer", "version", name="pk_district_layer_versions"),
    )
    op.create_table(
        "districts",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("layer", sa.String(), nullable=False),
        sa.Column("district_id", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("attributes", _JSON, nullable=False),
        sa.Column("geometry", sa.LargeBinary(), nullable=False),
        sa.Column("west", sa.Double(), nullable=False),
        sa.Column("south", sa.Double(), nullable=False),
        sa.Column("east", sa.Double(), nullable=False),
        sa.Column("north", sa.Double(), nullable=False),
        sa.CheckConstraint("valid_from < valid_to", name=op.f("ck_districts_validity")),
        sa.PrimaryKeyConstraint("county_id", "layer", "district_id", "valid_from", name="pk_districts"),
    )
    op.create_index(
        "uq_districts_current",
        "districts",
        ["county_id", "layer", "district_id"],
        unique=True,
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.create_index(
        "ix_districts_bounds",
        "districts",
        ["county_id", "layer", "west", "south", "east", "north"],
        postgresql_using="gist",
    )
    for table in ("district_layers", "district_layer_versions", "districts"):
        _secure(table)


def _secure(table: str) -> None:
    """Show and take only rows of the county that the transaction is for, the table's owner included."""
    own = "county_id = current_setting('app.county_id', true)"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON {table} USING ({own}) WITH CHECK ({own})")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO terrafusion_app")
