"""Rows of write-backs, and exemptions that are applied for and decided here, with their documents.

`btree_gist` (0013) lets the exclusion constraint compare texts beside a range of years.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"

_JSON = postgresql.JSONB(astext_type=sa.Text())
_TABLES = ("write_back_rows", "exemption_grants", "exemption_documents")
_OUTCOMES = "('changed', 'changed_in_between', 'not_in_source', 'not_invertible')"
_STATUSES = "('applied', 'granted', 'denied', 'withdrawn', 'ended')"


def upgrade() -> None:
    op.create_table(
        "write_back_rows",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("write_back_id", sa.Uuid(), nullable=False),
        sa.Column("row_no", sa.Integer(), nullable=False),
        sa.Column("table_name", sa.String(), nullable=False),
        sa.Column("row_key", sa.String(), nullable=False),
        sa.Column("source_key", _JSON, nullable=True),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("column_name", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("read_value", sa.String(), nullable=True),
        sa.Column("new_value", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.CheckConstraint(f"outcome IN {_OUTCOMES}", name=op.f("ck_write_back_rows_outcome")),
        sa.PrimaryKeyConstraint("county_id", "write_back_id", "row_no", name="pk_write_back_rows"),
    )
    _create_grants()
    op.create_table(
        "exemption_documents",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("request_digest", sa.String(), nullable=False),
        sa.Column("filename", sa.String(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("added_by", sa.String(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("county_id", "grant_id", "document_id", name="pk_exemption_documents"),
    )
    own = "county_id = current_setting('app.county_id', true)"
    for table in _TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING ({own}) WITH CHECK ({own})")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO terrafusion_app")


def _create_grants() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "exemption_grants",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("request_digest", sa.String(), nullable=False),
        sa.Column("property_id", sa.String(), nullable=False),
        sa.Column("exemption_type", sa.String(), nullable=False),
        sa.Column("rule", _JSON, nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("applicant", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("owners", _JSON, nullable=False),
        sa.Column("first_year", sa.Integer(), nullable=False),
        sa.Column("last_year", sa.Integer(), nullable=False),
        sa.Column("renewal_year", sa.Integer(), nullable=True),
        sa.Column("frozen_value", sa.Numeric(14, 2), nullable=True),
        sa.Column("applied_by", sa.String(), nullable=False),
        sa.Column("applied_at", moment, server_default=sa.text("now()"), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", moment, nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(f"status IN {_STATUSES}", name=op.f("ck_exemption_grants_status")),
        sa.CheckConstraint("first_year <= last_year", name=op.f("ck_exemption_grants_years")),
        sa.CheckConstraint("decided_by <> applied_by", name=op.f("ck_exemption_grants_second_person")),
        postgresql.ExcludeConstraint(
            (sa.column("county_id"), "="),
            (sa.column("property_id"), "="),
            (sa.column("exemption_type"), "="),
            (sa.text("int4range(first_year, last_year, '[]')"), "&&"),
            where=sa.text("status IN ('applied', 'granted')"),
            using="gist",
            name="ex_exemption_grants_one_at_a_time",
        ),
        sa.PrimaryKeyConstraint("county_id", "grant_id", name="pk_exemption_grants"),
    )
    op.create_index("ix_exemption_grants_county_id_property_id", "exemption_grants", ["county_id", "property_id"])


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
