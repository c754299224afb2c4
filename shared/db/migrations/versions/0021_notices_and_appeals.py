"""Notices of value, and appeals of values."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"

_JSON = postgresql.JSONB(astext_type=sa.Text())
_MONEY = sa.Numeric(14, 2)
_TABLES = ("notice_templates", "notices", "appeals", "appeal_documents")
_ORIGIN = "ck_field_overrides_origin"


def _texts(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.String(), nullable=True) for name in names]


def _values(*names: str) -> list[sa.Column[Any]]:
    parts = ("land_value", "improvement_value", "total_value")
    return [sa.Column(f"{name}_{part}", _MONEY, nullable=True) for name in names for part in parts]


def _moment(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    default = None if nullable else sa.text("now()")
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "notice_templates",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("template", sa.String(), nullable=True),
        sa.Column("made_by", sa.String(), nullable=False),
        _moment("made_at", nullable=False),
        sa.PrimaryKeyConstraint("county_id", "version", name="pk_notice_templates"),
    )
    op.create_table(
        "notices",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("roll_year", sa.Integer(), nullable=False),
        sa.Column("previous_year", sa.Integer(), nullable=False),
        sa.Column("property_id", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reasons", _JSON, server_default=sa.text("'[]'::jsonb"), nullable=False),
        *_values("old", "new"),
        sa.Column("mailed_on", sa.Date(), nullable=False),
        sa.Column("deadline", sa.Date(), nullable=False),
        *_texts("parcel_number", "situs_address", "legal_description", "area"),
        *_texts("recipient", "mailing_address", "mailing_city", "mailing_state", "mailing_zip"),
        sa.Column("replaces", sa.Uuid(), nullable=True),
        sa.Column("replaced_mailed_on", sa.Date(), nullable=True),
        sa.Column("superseded_by", sa.Uuid(), nullable=True),
        sa.Column("file_no", sa.Integer(), nullable=True),
        sa.Column("letter_no", sa.Integer(), nullable=True),
        sa.Column("page_no", sa.Integer(), nullable=True),
        _moment("made_at", nullable=False),
        sa.CheckConstraint("status IN ('prepared', 'sent', 'held_back', 'superseded')", name=op.f("ck_notices_status")),
        sa.PrimaryKeyConstraint("county_id", "notice_id", name="pk_notices"),
    )
    for status in ("prepared", "sent"):
        op.create_index(
            f"uq_notices_{status}",
            "notices",
            ["county_id", "roll_year", "property_id"],
            unique=True,
            postgresql_where=sa.text(f"status = '{status}'"),
        )
    op.create_index("ix_notices_batch", "notices", ["county_id", "batch_id", "file_no", "letter_no"])
    op.create_index("ix_notices_county_id_property_id", "notices", ["county_id", "property_id"])
    op.create_table(
        "appeals",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("appeal_id", sa.Uuid(), nullable=False),
        sa.Column("request_digest", sa.String(), nullable=False),
        sa.Column("roll_year", sa.Integer(), nullable=False),
        sa.Column("appeal_no", sa.Integer(), nullable=False),
        sa.Column("property_id", sa.String(), nullable=False),
        sa.Column("property_class", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("petitioner", sa.String(), nullable=False),
        *_texts("petitioner_contact", "good_cause"),
        sa.Column("ground", sa.String(), nullable=False),
        sa.Column("statement", sa.String(), nullable=False),
        sa.Column("requested_value", _MONEY, nullable=True),
        sa.Column("filed_on", sa.Date(), nullable=False),
        sa.Column("deadline", sa.Date(), nullable=True),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=True),
        sa.Column("filed_by", sa.String(), nullable=False),
        _moment("filed_at", nullable=False),
        _moment("hearing_at"),
        sa.Column("hearing_minutes", sa.Integer(), nullable=True),
        sa.Column("hearing_place", sa.String(), nullable=True),
        sa.Column("hearing_sequence", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        *_texts("reason_code", "reason", "decided_by"),
        *_values("before", "decided"),
        _moment("decided_at"),
        sa.Column("correction_no", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "status IN ('filed', 'informal', 'scheduled', 'heard', 'decided', 'stipulated', 'withdrawn')",
            name=op.f("ck_appeals_status"),
        ),
        sa.CheckConstraint("level IN ('informal', 'hearing')", name=op.f("ck_appeals_level")),
        sa.CheckConstraint("outcome IN ('sustained', 'reduced', 'raised')", name=op.f("ck_appeals_outcome")),
        sa.PrimaryKeyConstraint("county_id", "appeal_id", name="pk_appeals"),
    )
    op.create_index("uq_appeals_number", "appeals", ["county_id", "roll_year", "appeal_no"], unique=True)
    op.create_index(
        "uq_appeals_open",
        "appeals",
        ["county_id", "roll_year", "property_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('filed', 'informal', 'scheduled', 'heard')"),
    )
    op.create_index("ix_appeals_county_id_property_id", "appeals", ["county_id", "property_id"])
    op.create_index("ix_appeals_county_id_hearing_at", "appeals", ["county_id", "hearing_at"])
    op.create_table(
        "appeal_documents",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("appeal_id", sa.Uuid(), nullable=False),
        sa.Column("request_digest", sa.String(), nullable=False),
        sa.Column("filename", sa.String(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("object_key", sa.String(), nullable=False),
        sa.Column("added_by", sa.String(), nullable=False),
        _moment("added_at", nullable=False),
        _moment("received_at"),
        sa.PrimaryKeyConstraint("county_id", "document_id", name="pk_appeal_documents"),
    )
    op.create_index("ix_appeal_documents_county_id_appeal_id", "appeal_documents", ["county_id", "appeal_id"])
    own = "county_id = current_setting('app.county_id', true)"
    for table in _TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING ({own}) WITH CHECK ({own})")
    op.execute("GRANT SELECT, INSERT ON notice_templates TO terrafusion_app")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON notices TO terrafusion_app")
    op.execute("GRANT SELECT, INSERT, UPDATE ON appeals TO terrafusion_app")
    op.execute("GRANT SELECT, INSERT, UPDATE ON appeal_documents TO terrafusion_app")
    _take_origins(", 'appeal'")


def downgrade() -> None:
    _take_origins("")
    for table in reversed(_TABLES):
        op.drop_table(table)


def _take_origins(more: str) -> None:
    # 0007 gave its constraint a whole name, before which the naming convention put its own beginning once more
    op.drop_constraint(op.f(f"ck_field_overrides_{_ORIGIN}"), "field_overrides", type_="check")
    op.create_check_constraint(
        op.f(f"ck_field_overrides_{_ORIGIN}"),
        "field_overrides",
        f"origin IN ('edit', 'approval', 'upload'{more})",
    )
