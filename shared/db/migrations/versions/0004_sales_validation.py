"""Sales validation: what speaks against a sale as evidence of market value, and what a person decided of it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "sale_flags",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("sale_id", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("validation_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("flagged_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("cleared_by", sa.Uuid(), nullable=True),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("county_id", "sale_id", "rule", "validation_id", name="pk_sale_flags"),
    )
    op.create_index(
        "uq_sale_flags_standing",
        "sale_flags",
        ["county_id", "sale_id", "rule"],
        unique=True,
        postgresql_where=sa.text("cleared_at IS NULL"),
    )
    op.create_table(
        "sale_decisions",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("sale_id", sa.String(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("validity_code", sa.String(), nullable=False),
        sa.Column("row_hash", sa.String(), nullable=False),
        sa.Column("rules", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("request_digest", sa.String(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column(
            "decided_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("decision IN ('valid', 'invalid', 'as_coded')", name="ck_sale_decisions_decision"),
        sa.PrimaryKeyConstraint("county_id", "decision_id", name="pk_sale_decisions"),
    )
    op.create_index(
        "uq_sale_decisions_standing",
        "sale_decisions",
        ["county_id", "sale_id"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_index("ix_sale_decisions_county_id_sale_id", "sale_decisions", ["county_id", "sale_id"])
    for table in ("sale_flags", "sale_decisions"):
        _secure(table)


def _secure(table: str) -> None:
    """Show and take only rows of the county that the transaction is for, the table's owner included."""
    own = "county_id = current_setting('app.county_id', true)"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON {table} USING ({own}) WITH CHECK ({own})")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO terrafusion_app")  # neither is ever removed
