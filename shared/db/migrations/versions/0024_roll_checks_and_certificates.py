"""Checks of a roll with their waivers, certificates, and the rows of each supplement."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"

_MOMENT = sa.DateTime(timezone=True)
_JSON = postgresql.JSONB(astext_type=sa.Text())

_NOTE_CORRECTED_ROWS = """
CREATE FUNCTION note_corrected_rows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    own_key text := TG_ARGV[0];
    made_rows text := 'SELECT NULL::text AS county_id, 0 AS roll_year, NULL::text AS row_key, 0 AS version WHERE false';
    gone_rows text := made_rows;
BEGIN
    IF NOT EXISTS (
        SELECT FROM roll_corrections WHERE made_in = CAST(CAST(pg_current_xact_id() AS text) AS bigint)
    ) THEN
        RETURN NULL;
    END IF;
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
        made_rows := format('SELECT county_id, roll_year, %I AS row_key, version FROM made', own_key);
    END IF;
    IF TG_OP IN ('UPDATE', 'DELETE') THEN
        gone_rows := format('SELECT county_id, roll_year, %I AS row_key, version FROM gone', own_key);
    END IF;
    EXECUTE format(
        'INSERT INTO roll_corrected_rows AS known (county_id, roll_year, correction_no, table_name, row_key,'
        ' version_before, version_after)'
        ' SELECT c.county_id, c.roll_year, c.correction_no, %L, r.row_key, r.before, r.after'
        ' FROM (SELECT county_id, roll_year, row_key, g.version AS before, m.version AS after'
        '  FROM (%s) AS m FULL JOIN (%s) AS g USING (county_id, roll_year, row_key)) AS r'
        ' JOIN roll_corrections AS c ON c.county_id = r.county_id AND c.roll_year = r.roll_year'
        ' AND c.made_in = CAST(CAST(pg_current_xact_id() AS text) AS bigint)'
        ' ON CONFLICT (county_id, roll_year, correction_no, table_name, row_key)'
        ' DO UPDATE SET version_after = excluded.version_after',
        TG_TABLE_NAME, made_rows, gone_rows
    );
    RETURN NULL;
END
$$
"""
_EVENTS = {
    "INSERT": "NEW TABLE AS made",
    "UPDATE": "NEW TABLE AS made OLD TABLE AS gone",
    "DELETE": "OLD TABLE AS gone",
}


def _table(name: str, key: list[str], *columns: sa.schema.SchemaItem) -> None:
    op.create_table(name, *columns, sa.PrimaryKeyConstraint(*key, name=f"pk_{name}"))
    own = "county_id = current_setting('app.county_id', true)"
    op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON {name} USING ({own}) WITH CHECK ({own})")


def _required(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def upgrade() -> None:
    text, number = sa.String(), sa.Integer()
    _table(
        "roll_check_results",
        ["county_id", "roll_year", "check_name"],
        _required("county_id", text),
        _required("roll_year", number),
        _required("check_name", text),
        _required("title", text),
        _required("severity", text),
        _required("owner", text),
        _required("rows", number),
        _required("ran_at", _MOMENT),
        _required("ran_by", text),
        sa.CheckConstraint("severity IN ('blocks', 'warns')", name=op.f("ck_roll_check_results_severity")),
    )
    _table(
        "roll_check_rows",
        ["county_id", "roll_year", "check_name", "row_key"],
        _required("county_id", text),
        _required("roll_year", number),
        _required("check_name", text),
        _required("row_key", text),
        sa.Column("property_id", text, nullable=True),
        _required("detail", text),
    )
    _table(
        "roll_waivers",
        ["county_id", "waiver_id"],
        _required("county_id", text),
        _required("waiver_id", sa.Uuid()),
        _required("request_digest", text),
        _required("roll_year", number),
        _required("check_name", text),
        sa.Column("row_key", text, nullable=True),
        _required("reason", text),
        _required("waived_by", text),
        sa.Column("waived_at", _MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.Column("withdrawn_by", text, nullable=True),
        sa.Column("withdrawn_at", _MOMENT, nullable=True),
    )
    op.create_index(
        "uq_roll_waivers_standing",
        "roll_waivers",
        ["county_id", "roll_year", "check_name", sa.text("coalesce(row_key, '')")],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    _table(
        "roll_certificates",
        ["county_id", "roll_year", "roll_version", "supplement_no"],
        _required("county_id", text),
        _required("roll_year", number),
        _required("roll_version", number),
        _required("supplement_no", number),
        _required("statement", _JSON),
        _required("object_key", text),
        _required("sha256", text),
        _required("certified_by", text),
        _required("certified_at", _MOMENT),
    )
    _table(
        "roll_corrected_rows",
        ["county_id", "roll_year", "correction_no", "table_name", "row_key"],
        _required("county_id", text),
        _required("roll_year", number),
        _required("correction_no", number),
        _required("table_name", text),
        _required("row_key", text),
        sa.Column("version_before", number, nullable=True),
        sa.Column("version_after", number, nullable=True),
    )
    for table in ("roll_check_results", "roll_check_rows"):
        op.execute(f"GRANT SELECT, INSERT, DELETE ON {table} TO terrafusion_app")
    op.execute("GRANT SELECT, INSERT ON roll_waivers TO terrafusion_app")
    op.execute("GRANT UPDATE (withdrawn_by, withdrawn_at) ON roll_waivers TO terrafusion_app")
    op.execute("GRANT SELECT, INSERT ON roll_certificates TO terrafusion_app")
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON roll_certificates"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute("GRANT SELECT, INSERT ON roll_corrected_rows TO terrafusion_app")
    op.execute("GRANT UPDATE (version_after) ON roll_corrected_rows TO terrafusion_app")
    op.execute(_NOTE_CORRECTED_ROWS)
    for table, key in (("assessments", "assessment_id"), ("exemptions", "exemption_id")):
        for event, tables in _EVENTS.items():
            op.execute(
                f"CREATE TRIGGER note_corrected_rows_{event.lower()} AFTER {event} ON {table} REFERENCING {tables}"
                f" FOR EACH STATEMENT EXECUTE FUNCTION note_corrected_rows('{key}')"
            )
