"""Audit events with old and new values, address and request id; append-only for everybody; sealed in a hash chain."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"

_REFUSE_CHANGE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only.', TG_TABLE_NAME USING ERRCODE = 'TF002';
END
$$
"""
_APPEND_ONLY = ("audit_events", "audit_seals")


def upgrade() -> None:
    for name in ("old", "new"):
        op.add_column("audit_events", sa.Column(name, postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    for name in ("address", "request_id"):
        op.add_column("audit_events", sa.Column(name, sa.String(), nullable=True))
    # events of earlier releases do not know their transaction: they come before all others
    op.add_column("audit_events", sa.Column("transaction_id", sa.BigInteger(), server_default="0", nullable=False))
    op.alter_column(
        "audit_events",
        "transaction_id",
        server_default=sa.text("CAST(CAST(pg_current_xact_id() AS text) AS bigint)"),
    )
    op.create_index(
        "ix_audit_events_county_id_transaction_id_event_id",
        "audit_events",
        ["county_id", "transaction_id", "event_id"],
    )
    op.create_table(
        "audit_seals",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("seal_no", sa.Integer(), nullable=False),
        sa.Column("end_transaction_id", sa.BigInteger(), nullable=False),
        sa.Column("end_event_id", sa.Integer(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("county_id", "seal_no", name="pk_audit_seals"),
    )
    own = "county_id = current_setting('app.county_id', true)"
    op.execute("ALTER TABLE audit_seals ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE audit_seals FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON audit_seals USING ({own}) WITH CHECK ({own})")
    op.execute("GRANT SELECT, INSERT ON audit_seals TO terrafusion_app")
    op.execute(_REFUSE_CHANGE)
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
