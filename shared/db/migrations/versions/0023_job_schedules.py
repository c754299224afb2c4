"""Schedules of jobs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"

_JSON = postgresql.JSONB(astext_type=sa.Text())


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "job_schedules",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("schedule_id", sa.Uuid(), nullable=False),
        sa.Column("request_digest", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("parameters", _JSON, nullable=False),
        sa.Column("cron", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("disabled_reason", sa.String(), nullable=True),
        sa.Column("permissions", sa.String(), nullable=False),
        sa.Column("last_run_at", moment, nullable=True),
        sa.Column("last_job_id", sa.Uuid(), nullable=True),
        sa.Column("last_error", _JSON, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", moment, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("county_id", "schedule_id", name="pk_job_schedules"),
    )
    op.create_index("ix_job_schedules_newest", "job_schedules", ["county_id", "created_at", "schedule_id"])
    own = "county_id = current_setting('app.county_id', true)"
    op.execute("ALTER TABLE job_schedules ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE job_schedules FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON job_schedules USING ({own}) WITH CHECK ({own})")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON job_schedules TO terrafusion_app")


def downgrade() -> None:
    op.drop_table("job_schedules")
