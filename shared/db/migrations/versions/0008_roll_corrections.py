"""A closed roll takes nothing but numbered corrections, which the database itself sees to."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_MONEY = sa.Numeric(18, 2)

_TAKES_CHANGES = """
CREATE FUNCTION roll_takes_changes(p_county text, p_year integer) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT NOT EXISTS (
        SELECT FROM rolls AS r WHERE r.county_id = p_county AND r.roll_year = p_year AND r.status = 'closed'
    ) OR EXISTS (
        SELECT FROM roll_corrections AS c WHERE c.county_id = p_county AND c.roll_year = p_year
        AND c.made_in = CAST(CAST(pg_current_xact_id() AS text) AS bigint)
    )
$$
"""
_REQUIRE_OPEN = """
CREATE FUNCTION require_open_roll() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE closed integer;
BEGIN
    IF NOT EXISTS (SELECT FROM rolls WHERE status = 'closed') THEN
        RETURN NULL;
    END IF;
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
        SELECT n.roll_year INTO closed FROM (SELECT DISTINCT county_id, roll_year FROM made) AS n
        WHERE NOT roll_takes_changes(n.county_id, n.roll_year) LIMIT 1;
    END IF;
    IF closed IS NULL AND TG_OP IN ('UPDATE', 'DELETE') THEN
        SELECT o.roll_year INTO closed FROM (SELECT DISTINCT county_id, roll_year FROM gone) AS o
        WHERE NOT roll_takes_changes(o.county_id, o.roll_year) LIMIT 1;
    END IF;
    IF closed IS NOT NULL THEN
        RAISE EXCEPTION 'The roll of % is closed.', closed USING ERRCODE = 'TF001';
    END IF;
    RETURN NULL;
END
$$
"""
_EVENTS = {
    "INSERT": "NEW TABLE AS made",
    "UPDATE": "NEW TABLE AS made OLD TABLE AS gone",
    "DELETE": "OLD TABLE AS gone",
}


def upgrade() -> None:
    for name, kind in (("assessments", sa.Integer()), ("total_value", _MONEY), ("assessed_value", _MONEY)):
        op.add_column("rolls", sa.Column(f"closed_{name}", kind, nullable=True))
    op.add_column("sync_runs", sa.Column("approval_reason", sa.String(), nullable=True))
    op.create_table(
        "roll_corrections",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("roll_year", sa.Integer(), nullable=False),
        sa.Column("correction_no", sa.Integer(), nullable=False),
        sa.Column("made_in", sa.BigInteger(), nullable=False),
        sa.Column("roll_version", sa.Integer(), nullable=False),
        sa.Column("sync_run_id", sa.Uuid(), nullable=True),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("total_before", _MONEY, nullable=False),
        sa.Column("total_after", _MONEY, nullable=False),
        sa.PrimaryKeyConstraint("county_id", "roll_year", "correction_no", name="pk_roll_corrections"),
    )
    own = "county_id = current_setting('app.county_id', true)"
    op.execute("ALTER TABLE roll_corrections ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE roll_corrections FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON roll_corrections USING ({own}) WITH CHECK ({own})")
    op.execute("GRANT SELECT, INSERT ON roll_corrections TO terrafusion_app")
    op.execute("GRANT UPDATE (total_after) ON roll_corrections TO terrafusion_app")
    op.execute(_TAKES_CHANGES)
    op.execute(_REQUIRE_OPEN)
    for table in ("assessments", "exemptions"):
        for event, tables in _EVENTS.items():
            op.execute(
                f"CREATE TRIGGER require_open_roll_{event.lower()} AFTER {event} ON {table} REFERENCING {tables}"
                " FOR EACH STATEMENT EXECUTE FUNCTION require_open_roll()"
            )
