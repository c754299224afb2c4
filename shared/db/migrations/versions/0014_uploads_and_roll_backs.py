"""Uploads from their file to their run, and runs that roll others back."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"

_TIME = sa.DateTime(timezone=True)
_JSON = postgresql.JSONB(astext_type=sa.Text())


def upgrade() -> None:
    for column in (
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.String(), nullable=True),
        sa.Column("target_table", sa.String(), nullable=True),
        sa.Column("request_digest", sa.String(), nullable=True),
        sa.Column("signature", sa.String(), nullable=True),
        sa.Column("description", _JSON, nullable=True),
        sa.Column("mapping", sa.String(), nullable=True),
        sa.Column("confirmed_by", sa.String(), nullable=True),
        sa.Column("confirmed_at", _TIME, nullable=True),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", _TIME, nullable=True),
        sa.Column("decision_reason", sa.String(), nullable=True),
    ):
        op.add_column("uploads", column)
    op.create_index("ix_uploads_newest", "uploads", ["county_id", "created_at", "upload_id"])
    op.create_index("ix_uploads_sha256", "uploads", ["county_id", "sha256"])
    op.create_index("ix_uploads_signature", "uploads", ["county_id", "signature"])
    op.add_column("sync_runs", sa.Column("upload_id", sa.Uuid(), nullable=True))
    op.add_column("sync_runs", sa.Column("rolls_back", sa.Uuid(), nullable=True))
    op.add_column("sync_runs", sa.Column("rolled_back_by", sa.Uuid(), nullable=True))
    op.add_column("sync_runs", sa.Column("skip_conflicts", sa.Boolean(), nullable=False, server_default=sa.false()))
