"""What the sync engine's modes, differences and replay need beside the first schema."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    _extend_runs()
    _extend_quarantine()
    _create_watermarks()


def _extend_runs() -> None:
    op.alter_column("sync_runs", "source_shape", new_column_name="plan")
    op.add_column("sync_runs", sa.Column("base_run", sa.Uuid(), nullable=True))
    op.add_column("sync_runs", sa.Column("replay_of", sa.Uuid(), nullable=True))
    op.add_column("sync_runs", sa.Column("replay_filter", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.add_column("sync_partitions", sa.Column("read_run", sa.Uuid(), nullable=True))
    op.add_column("sync_partitions", sa.Column("read_no", sa.Integer(), nullable=True))
    op.add_column("sync_partitions", sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True))


def _extend_quarantine() -> None:
    op.add_column("rejected_rows", sa.Column("target_key", sa.String(), nullable=True))
    op.add_column("rejected_rows", sa.Column("read_run", sa.Uuid(), nullable=False))
    op.add_column("rejected_rows", sa.Column("resolution", sa.String(), nullable=True))
    op.add_column("rejected_rows", sa.Column("resolved_by_run", sa.Uuid(), nullable=True))
    op.add_column("rejected_rows", sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("ck_rejected_rows_resolution"), "rejected_rows", "resolution IN ('synced', 'gone', 'rejected_again')"
    )
    op.create_index(
        "ix_rejected_rows_open",
        "rejected_rows",
        ["county_id", "table_name", "target_key"],
        postgresql_where=sa.text("resolution IS NULL"),
    )


def _create_watermarks() -> None:
    op.create_table(
        "sync_watermarks",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("table_name", sa.String(), nullable=False),
        sa.Column("mapping_digest", sa.String(), nullable=False),
        sa.Column("watermark", sa.String(), nullable=True),
        sa.Column("change_version", sa.BigInteger(), nullable=True),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("county_id", "table_name", name=op.f("pk_sync_watermarks")),
    )
    own = "county_id = current_setting('app.county_id', true)"
    op.execute("ALTER TABLE sync_watermarks ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE sync_watermarks FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON sync_watermarks USING ({own}) WITH CHECK ({own})")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON sync_watermarks TO terrafusion_app")
