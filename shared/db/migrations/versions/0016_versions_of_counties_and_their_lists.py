"""Versions of a county's configuration and mapping, its neighborhoods' ratio figures, and its jobs in order of time."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "county_versions",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed", sa.String(), nullable=False),
        sa.Column("configuration", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("mapping", sa.String(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=True),
        sa.Column("changed_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("changed IN ('both', 'configuration', 'mapping')", name="ck_county_versions_changed"),
        sa.PrimaryKeyConstraint("county_id", "version", name="pk_county_versions"),
    )
    op.create_table(
        "neighborhood_ratios",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("neighborhood", sa.String(), nullable=False),
        sa.Column("sales", sa.Integer(), nullable=False),
        sa.Column("median", sa.Double(), nullable=True),
        sa.Column("cod", sa.Double(), nullable=True),
        sa.Column("prd", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("county_id", "study_id", "neighborhood", name="pk_neighborhood_ratios"),
    )
    _secure("county_versions", "SELECT, INSERT")  # none is ever changed
    _secure("neighborhood_ratios", "SELECT, INSERT, DELETE")
    op.create_index("ix_jobs_newest", "jobs", ["county_id", "created_at", "job_id"])


def _secure(table: str, grants: str) -> None:
    """Show and take only rows of the county that the transaction is for, the table's owner included."""
    own = "county_id = current_setting('app.county_id', true)"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON {table} USING ({own}) WITH CHECK ({own})")
    op.execute(f"GRANT {grants} ON {table} TO terrafusion_app")


def downgrade() -> None:
    op.drop_index("ix_jobs_newest", "jobs")
    op.drop_table("neighborhood_ratios")
    op.drop_table("county_versions")
