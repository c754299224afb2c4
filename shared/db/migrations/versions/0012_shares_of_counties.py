"""A token bucket for each county's requests, and its jobs under way found by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_TABLE = "county_request_budgets"


def upgrade() -> None:
    op.create_table(
        _TABLE,
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("tokens", sa.Double(), nullable=False),
        sa.Column("refilled_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("county_id", name=f"pk_{_TABLE}"),
    )
    own = "county_id = current_setting('app.county_id', true)"
    op.execute(f"ALTER TABLE {_TABLE} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {_TABLE} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON {_TABLE} USING ({own}) WITH CHECK ({own})")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {_TABLE} TO terrafusion_app")
    op.create_index(
        "ix_jobs_under_way", "jobs", ["county_id"], postgresql_where=sa.text("status IN ('pending', 'running')")
    )


def downgrade() -> None:
    op.drop_index("ix_jobs_under_way", "jobs")
    op.drop_table(_TABLE)
