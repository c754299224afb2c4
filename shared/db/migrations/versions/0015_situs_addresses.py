"""Situs addresses that are searched, and indexes of parcels that row-level security lets be used.

Row-level security is applied before an operator that PostgreSQL does not know to keep what it sees to itself
(pg_proc.proleakproof): those of boxes and of trigrams are not known for that, so that no statement of the application
has ever used the two indexes that go here, which each sync kept up. Comparisons of numbers are.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.drop_index("ix_properties_operational_location", "properties_operational")
    op.drop_index("ix_properties_operational_situs_address", "properties_operational")
    op.create_index(
        "ix_properties_operational_county_id_longitude_latitude",
        "properties_operational",
        ["county_id", "longitude", "latitude"],
    )
    op.create_table(
        "situs_addresses",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("property_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("street", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("zip", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("county_id", "property_id", name="pk_situs_addresses"),
    )
    op.create_index("ix_situs_addresses_county_id_street_number", "situs_addresses", ["county_id", "street", "number"])
    op.create_table(
        "situs_streets",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("street", sa.String(), nullable=False),
        sa.Column("city", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("county_id", "street", "city", name="pk_situs_streets"),
    )
    op.create_table(
        "situs_indexes",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("addresses", sa.Integer(), nullable=False),
        sa.Column("refreshed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("county_id", name="pk_situs_indexes"),
    )
    for table in ("situs_addresses", "situs_streets", "situs_indexes"):
        _secure(table)


def _secure(table: str) -> None:
    """Show and take only rows of the county that the transaction is for, the table's owner included."""
    own = "county_id = current_setting('app.county_id', true)"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON {table} USING ({own}) WITH CHECK ({own})")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO terrafusion_app")
