"""Decisions on fields of synced rows, and what a run found of single rows."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"

_JSON = postgresql.JSONB(astext_type=sa.Text())


def upgrade() -> None:
    op.create_table(
        "field_overrides",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("table_name", sa.String(), nullable=False),
        sa.Column("row_key", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("value", _JSON, nullable=False),
        sa.Column("source_value", _JSON, nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_why", sa.String(), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("origin IN ('edit', 'approval', 'upload')", name="ck_field_overrides_origin"),
        sa.CheckConstraint(
            "ended_why IN ('replaced', 'withdrawn', 'source_changed', 'source_agrees')",
            name="ck_field_overrides_ended_why",
        ),
        sa.PrimaryKeyConstraint("county_id", "table_name", "row_key", "field", "version", name="pk_field_overrides"),
    )
    op.create_index(
        "uq_field_overrides_standing",
        "field_overrides",
        ["county_id", "table_name", "row_key", "field"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_field_overrides_county_id_decision_id", "field_overrides", ["county_id", "decision_id"])
    op.create_index(
        "ix_field_overrides_ended_by",
        "field_overrides",
        ["county_id", "ended_by"],
        postgresql_where=sa.text("ended_by IS NOT NULL"),
    )
    op.create_table(
        "sync_findings",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("finding_no", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("table_name", sa.String(), nullable=False),
        sa.Column("row_key", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=True),
        sa.Column("details", _JSON, nullable=False),
        sa.PrimaryKeyConstraint("county_id", "run_id", "finding_no", name="pk_sync_findings"),
    )
    op.create_index(
        "ix_sync_findings_county_id_run_id_table_name_kind",
        "sync_findings",
        ["county_id", "run_id", "table_name", "kind"],
    )
    _secure("field_overrides", "SELECT, INSERT, UPDATE")
    _secure("sync_findings", "SELECT, INSERT, DELETE")


def _secure(table: str, privileges: str) -> None:
    """Show and take only rows of the county that the transaction is for, the table's owner included."""
    own = "county_id = current_setting('app.county_id', true)"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON {table} USING ({own}) WITH CHECK ({own})")
    op.execute(f"GRANT {privileges} ON {table} TO terrafusion_app")
