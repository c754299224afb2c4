"""Models as records, champions, valuation runs over a county, rolls, and partitions of jobs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

TABLES = (
    "job_partitions",
    "valuation_champions",
    "valuation_runs",
    "valuation_run_results",
    "rolls",
    "valuation_approvals",
)


def upgrade() -> None:
    _complete_models()
    op.add_column("valuations", sa.Column("model_id", sa.Uuid(), nullable=True))
    _create_runs()
    _create_rolls()
    op.create_table(
        "job_partitions",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("partition_no", sa.Integer(), nullable=False),
        _moment("done_at"),
        sa.PrimaryKeyConstraint("county_id", "job_id", "partition_no", name="pk_job_partitions"),
    )
    for table in TABLES:
        _secure(table)


def _complete_models() -> None:
    op.drop_column("valuation_models", "status")
    for column in (
        sa.Column("property_classes", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("data_version", sa.String(), nullable=False),
        sa.Column("artifact_digest", sa.String(), nullable=False),
        sa.Column("promoted_at", sa.DateTime(timezone=True), nullable=True),
    ):
        op.add_column("valuation_models", column)
    op.create_index("ix_valuation_models_county_id_valuation_date", "valuation_models", ["county_id", "valuation_date"])
    op.create_table(
        "valuation_champions",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("property_class", sa.String(), nullable=False),
        sa.Column("valuation_date", sa.Date(), nullable=False),
        sa.Column("model_id", sa.Uuid(), nullable=False),
        sa.Column("promoted_by", sa.String(), nullable=False),
        _moment("promoted_at"),
        sa.Column("override_reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("county_id", "property_class", "valuation_date", name="pk_valuation_champions"),
    )
    op.create_index("ix_valuation_champions_county_id_model_id", "valuation_champions", ["county_id", "model_id"])


def _create_runs() -> None:
    op.create_table(
        "valuation_runs",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("valuation_date", sa.Date(), nullable=False),
        sa.Column("models", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("data_version", sa.String(), nullable=False),
        sa.Column("properties", sa.Integer(), nullable=False),
        _moment("planned_at"),
        sa.Column("valued", sa.Integer(), nullable=True),
        sa.Column("not_valued", sa.Integer(), nullable=True),
        sa.Column("review", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("county_id", "run_id", name="pk_valuation_runs"),
    )
    op.create_table(
        "valuation_run_results",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("property_id", sa.String(), nullable=False),
        sa.Column("partition_no", sa.Integer(), nullable=False),
        sa.Column("property_class", sa.String(), nullable=True),
        sa.Column("neighborhood", sa.String(), nullable=True),
        sa.Column("model_id", sa.Uuid(), nullable=True),
        _money("current_value"),
        _money("estimate"),
        _money("lower"),
        _money("upper"),
        _money("land_value"),
        _money("improvement_value"),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column("review", sa.Boolean(), nullable=False),
        sa.Column("flags", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("refusal", sa.String(), nullable=True),
        sa.Column("contributions", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("comparables", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint(
            "(estimate IS NULL) = (refusal IS NOT NULL)", name="ck_valuation_run_results_value_or_refusal"
        ),
        sa.PrimaryKeyConstraint("county_id", "run_id", "property_id", name="pk_valuation_run_results"),
    )
    for name, columns in {
        "partition_no": ["county_id", "run_id", "partition_no"],
        "neighborhood": ["county_id", "run_id", "neighborhood", "property_id"],
    }.items():
        op.create_index(f"ix_valuation_run_results_{name}", "valuation_run_results", columns)
    op.create_index(
        "ix_valuation_run_results_review",
        "valuation_run_results",
        ["county_id", "run_id", "property_id"],
        postgresql_where=sa.text("review"),
    )


def _create_rolls() -> None:
    op.create_table(
        "rolls",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("roll_year", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        _moment("changed_at"),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("status IN ('open', 'closed')", name="ck_rolls_status"),
        sa.PrimaryKeyConstraint("county_id", "roll_year", name="pk_rolls"),
    )
    op.create_table(
        "valuation_approvals",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("approval_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("roll_year", sa.Integer(), nullable=False),
        sa.Column("filter", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("assessments", sa.Integer(), nullable=False),
        sa.Column("properties", sa.Integer(), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=False),
        _moment("approved_at"),
        sa.Column("skipped", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("undo_id", sa.Uuid(), nullable=True),
        sa.Column("undone_by", sa.String(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("county_id", "approval_id", name="pk_valuation_approvals"),
    )
    for column in ("run_id", "roll_year"):
        op.create_index(f"ix_valuation_approvals_county_id_{column}", "valuation_approvals", ["county_id", column])


def _moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)


def _money(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Numeric(precision=14, scale=2), nullable=True)


def _secure(table: str) -> None:
    """Show and take only rows of the county that the transaction is for, the table's owner included."""
    own = "county_id = current_setting('app.county_id', true)"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON {table} USING ({own}) WITH CHECK ({own})")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO terrafusion_app")
