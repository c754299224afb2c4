"""What a run noticed of its source that stops nothing."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("sync_runs", sa.Column("notes", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
