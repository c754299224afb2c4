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
    _create_warnings()


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
    _guard("sync_watermarks")


def _create_warnings() -> None:
    op.create_table(
        "sync_warnings",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("row_no", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("table_name", sa.String(), nullable=False),
        sa.Column("partition_no", sa.Integer(), nullable=False),
        sa.Column("source_key", sa.String(), nullable=True),
        sa.Column("target_key", sa.String(), nullable=True),
        sa.Column("source_row", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("county_id", "run_id", "row_no", name=op.f("pk_sync_warnings")),
    )
    op.create_index(
        op.f("ix_sync_warnings_county_id_run_id_table_name_partition_no"),
        "sync_warnings",
        ["county_id", "run_id", "table_name", "partition_no"],
    )
    _guard("sync_warnings")


def _guard(table: str) -> None:
    """Row-level security, forced, and what the application may do."""
    own = "county_id = current_setting('app.county_id', true)"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON {table} USING ({own}) WITH CHECK ({own})")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO terrafusion_app")
