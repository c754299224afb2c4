"""The first schema: every table of a tenant, its history, and row-level security forced on all of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.db.models.property import Box

revision = "0001"
down_revision = None


SYNCED = {
    "properties_operational": "property_id",
    "improvements": "improvement_id",
    "sales": "sale_id",
    "owners": "owner_id",
    "assessments": "assessment_id",
    "exemptions": "exemption_id",
}
OTHERS = (
    "jobs",
    "sync_runs",
    "sync_partitions",
    "rejected_rows",
    "valuation_models",
    "valuations",
    "uploads",
    "district_layers",
    "districts",
)


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    _create_tables()
    for table, key in SYNCED.items():
        _create_history(table, key)
    history = [f"{table}_history" for table in SYNCED]
    for table in (*SYNCED, *history, *OTHERS):
        _secure(table, "SELECT, INSERT, UPDATE, DELETE")
    _secure("counties", "SELECT, INSERT, UPDATE")
    _secure("audit_events", "SELECT, INSERT")  # nobody changes what was written down
    # one transaction may look at the list of all the caller's counties; see shared.db.unit_of_work
    op.execute(
        "CREATE POLICY listing ON counties FOR SELECT"
        " USING (county_id = ANY (string_to_array(current_setting('app.county_id', true), ' ')))"
    )
    # where a run keeps its rows until it is applied; its tables come and go with it
    op.execute("CREATE SCHEMA staging")
    op.execute("GRANT USAGE, CREATE ON SCHEMA staging TO terrafusion_app")


def _create_history(table: str, key: str) -> None:
    op.execute(
        f"CREATE TABLE {table}_history (LIKE {table}, valid_to timestamptz NOT NULL, superseded_by_run uuid,"
        f" CONSTRAINT pk_{table}_history PRIMARY KEY (county_id, {key}, version))"
    )
    if table == "properties_operational":
        op.drop_column(f"{table}_history", "location")


def _secure(table: str, privileges: str) -> None:
    """Show and take only rows of the county that the transaction is for, the table's owner included."""
    own = "county_id = current_setting('app.county_id', true)"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON {table} USING ({own}) WITH CHECK ({own})")
    op.execute(f"GRANT {privileges} ON {table} TO terrafusion_app")


def _create_tables() -> None:
    op.create_table(
        "assessments",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("assessment_id", sa.String(), nullable=False),
        sa.Column("property_id", sa.String(), nullable=False),
        sa.Column("roll_year", sa.Integer(), nullable=False),
        sa.Column("land_value", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("improvement_value", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("total_value", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("assessed_value", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("property_class", sa.String(), nullable=True),
        sa.Column("attributes", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("source_system", sa.String(), nullable=False),
        sa.Column("sync_run_id", sa.Uuid(), nullable=True),
        sa.Column("row_hash", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("county_id", "assessment_id", name=op.f("pk_assessments")),
    )
    op.create_index(
        op.f("ix_assessments_county_id_property_id"),
        "assessments",
        ["county_id", "property_id"],
        unique=False,
    )
    op.create_index(op.f("ix_assessments_county_id_roll_year"), "assessments", ["county_id", "roll_year"], unique=False)
    op.create_table(
        "audit_events",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("event_id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("county_id", "event_id", name=op.f("pk_audit_events")),
    )
    op.create_index(
        op.f("ix_audit_events_county_id_occurred_at"),
        "audit_events",
        ["county_id", "occurred_at"],
        unique=False,
    )
    op.create_table(
        "counties",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("friendly_name", sa.String(), nullable=False),
        sa.Column("configuration", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("mapping", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("county_id", name=op.f("pk_counties")),
    )
    op.create_table(
        "district_layers",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("layer", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("county_id", "layer", name=op.f("pk_district_layers")),
    )
    op.create_table(
        "districts",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("layer", sa.String(), nullable=False),
        sa.Column("district_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("attributes", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("geometry", sa.LargeBinary(), nullable=False),
        sa.Column("bounds", Box(), nullable=False),
        sa.PrimaryKeyConstraint("county_id", "layer", "district_id", name=op.f("pk_districts")),
    )
    op.create_index("ix_districts_bounds", "districts", ["bounds"], unique=False, postgresql_using="gist")
    op.create_table(
        "exemptions",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("exemption_id", sa.String(), nullable=False),
        sa.Column("property_id", sa.String(), nullable=False),
        sa.Column("exemption_type", sa.String(), nullable=True),
        sa.Column("amount", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("roll_year", sa.Integer(), nullable=True),
        sa.Column("attributes", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("source_system", sa.String(), nullable=False),
        sa.Column("sync_run_id", sa.Uuid(), nullable=True),
        sa.Column("row_hash", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("county_id", "exemption_id", name=op.f("pk_exemptions")),
    )
    op.create_index(
        op.f("ix_exemptions_county_id_property_id"), "exemptions", ["county_id", "property_id"], unique=False
    )
    op.create_table(
        "improvements",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("improvement_id", sa.String(), nullable=False),
        sa.Column("property_id", sa.String(), nullable=False),
        sa.Column("improvement_type", sa.String(), nullable=True),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("area_sqft", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("year_built", sa.Integer(), nullable=True),
        sa.Column("effective_year", sa.Integer(), nullable=True),
        sa.Column("quality", sa.String(), nullable=True),
        sa.Column("condition", sa.String(), nullable=True),
        sa.Column("improvement_value", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("attributes", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("source_system", sa.String(), nullable=False),
        sa.Column("sync_run_id", sa.Uuid(), nullable=True),
        sa.Column("row_hash", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("county_id", "improvement_id", name=op.f("pk_improvements")),
    )
    op.create_index(
        op.f("ix_improvements_county_id_property_id"),
        "improvements",
        ["county_id", "property_id"],
        unique=False,
    )
    op.create_table(
        "jobs",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("parameters", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("request_digest", sa.String(), nullable=False),
        sa.Column(
            "progress",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("error", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("submitted_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('pending', 'running', 'awaiting_approval', 'succeeded', 'failed', 'cancelled')",
            name=op.f("ck_jobs_status"),
        ),
        sa.PrimaryKeyConstraint("county_id", "job_id", name=op.f("pk_jobs")),
    )
    op.create_index(
        op.f("ix_jobs_county_id_kind_created_at"), "jobs", ["county_id", "kind", "created_at"], unique=False
    )
    op.create_table(
        "owners",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("owner_id", sa.String(), nullable=False),
        sa.Column("property_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("ownership_share", sa.Double(), nullable=True),
        sa.Column("mailing_address", sa.String(), nullable=True),
        sa.Column("mailing_city", sa.String(), nullable=True),
        sa.Column("mailing_state", sa.String(), nullable=True),
        sa.Column("mailing_zip", sa.String(), nullable=True),
        sa.Column("confidential", sa.Boolean(), nullable=True),
        sa.Column("source_system", sa.String(), nullable=False),
        sa.Column("sync_run_id", sa.Uuid(), nullable=True),
        sa.Column("row_hash", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("county_id", "owner_id", name=op.f("pk_owners")),
    )
    op.create_index(op.f("ix_owners_county_id_property_id"), "owners", ["county_id", "property_id"], unique=False)
    op.create_table(
        "properties_operational",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("property_id", sa.String(), nullable=False),
        sa.Column("parcel_number", sa.String(), nullable=True),
        sa.Column("situs_number", sa.String(), nullable=True),
        sa.Column("situs_prefix", sa.String(), nullable=True),
        sa.Column("situs_street", sa.String(), nullable=True),
        sa.Column("situs_suffix", sa.String(), nullable=True),
        sa.Column("situs_unit", sa.String(), nullable=True),
        sa.Column("situs_city", sa.String(), nullable=True),
        sa.Column("situs_state", sa.String(), nullable=True),
        sa.Column("situs_zip", sa.String(), nullable=True),
        sa.Column("situs_address", sa.String(), nullable=True),
        sa.Column("legal_description", sa.String(), nullable=True),
        sa.Column("property_type", sa.String(), nullable=True),
        sa.Column("property_class", sa.String(), nullable=True),
        sa.Column("neighborhood", sa.String(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("geometry", sa.LargeBinary(), nullable=True),
        sa.Column("land_area_sqft", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("living_area_sqft", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("year_built", sa.Integer(), nullable=True),
        sa.Column("effective_year", sa.Integer(), nullable=True),
        sa.Column("bedrooms", sa.Numeric(precision=5, scale=2), nullable=True),
        sa.Column("bathrooms", sa.Numeric(precision=5, scale=2), nullable=True),
        sa.Column("stories", sa.Numeric(precision=5, scale=2), nullable=True),
        sa.Column("condition", sa.String(), nullable=True),
        sa.Column("quality", sa.String(), nullable=True),
        sa.Column("attributes", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("land_value", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("improvement_value", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("total_value", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("last_sale_date", sa.Date(), nullable=True),
        sa.Column("last_sale_price", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("tax_district", sa.String(), nullable=True),
        sa.Column("exemption_flags", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column(
            "location",
            Box(),
            sa.Computed("box(point(longitude, latitude), point(longitude, latitude))", persisted=True),
            nullable=True,
        ),
        sa.Column("source_system", sa.String(), nullable=False),
        sa.Column("sync_run_id", sa.Uuid(), nullable=True),
        sa.Column("row_hash", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("county_id", "property_id", name=op.f("pk_properties_operational")),
    )
    op.create_index(
        op.f("ix_properties_operational_county_id_neighborhood_property_id"),
        "properties_operational",
        ["county_id", "neighborhood", "property_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_properties_operational_county_id_parcel_number"),
        "properties_operational",
        ["county_id", "parcel_number"],
        unique=False,
    )
    op.create_index(
        op.f("ix_properties_operational_county_id_valid_from"),
        "properties_operational",
        ["county_id", "valid_from"],
        unique=False,
    )
    op.create_index(
        "ix_properties_operational_location",
        "properties_operational",
        ["location"],
        unique=False,
        postgresql_using="gist",
    )
    op.create_index(
        "ix_properties_operational_situs_address",
        "properties_operational",
        ["situs_address"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"situs_address": "gin_trgm_ops"},
    )
    op.create_table(
        "rejected_rows",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("row_no", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("table_name", sa.String(), nullable=False),
        sa.Column("partition_no", sa.Integer(), nullable=False),
        sa.Column("source_key", sa.String(), nullable=True),
        sa.Column("source_row", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("county_id", "run_id", "row_no", name=op.f("pk_rejected_rows")),
    )
    op.create_index(
        op.f("ix_rejected_rows_county_id_run_id_table_name_partition_no"),
        "rejected_rows",
        ["county_id", "run_id", "table_name", "partition_no"],
        unique=False,
    )
    op.create_table(
        "sales",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("sale_id", sa.String(), nullable=False),
        sa.Column("property_id", sa.String(), nullable=False),
        sa.Column("sale_date", sa.Date(), nullable=False),
        sa.Column("sale_price", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("validity_code", sa.String(), nullable=False),
        sa.Column("sale_type", sa.String(), nullable=True),
        sa.Column("deed_type", sa.String(), nullable=True),
        sa.Column("instrument_number", sa.String(), nullable=True),
        sa.Column("parcel_count", sa.Integer(), nullable=True),
        sa.Column("seller", sa.String(), nullable=True),
        sa.Column("buyer", sa.String(), nullable=True),
        sa.Column("attributes", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("source_system", sa.String(), nullable=False),
        sa.Column("sync_run_id", sa.Uuid(), nullable=True),
        sa.Column("row_hash", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("county_id", "sale_id", name=op.f("pk_sales")),
    )
    op.create_index(op.f("ix_sales_county_id_property_id"), "sales", ["county_id", "property_id"], unique=False)
    op.create_index(op.f("ix_sales_county_id_sale_date"), "sales", ["county_id", "sale_date"], unique=False)
    op.create_table(
        "sync_partitions",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("table_name", sa.String(), nullable=False),
        sa.Column("partition_no", sa.Integer(), nullable=False),
        sa.Column("lower_key", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("upper_key", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=True),
        sa.Column("unchanged", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("rows_read", sa.Integer(), nullable=True),
        sa.Column("rows_good", sa.Integer(), nullable=True),
        sa.Column("rows_rejected", sa.Integer(), nullable=True),
        sa.Column("rows_staged", sa.Integer(), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("raw_key", sa.String(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("county_id", "run_id", "table_name", "partition_no", name=op.f("pk_sync_partitions")),
    )
    op.create_table(
        "sync_runs",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("validate_only", sa.Boolean(), nullable=False),
        sa.Column("trigger", sa.String(), nullable=False),
        sa.Column("mapping_digest", sa.String(), nullable=True),
        sa.Column("source_shape", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("guard_findings", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reconciled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("county_id", "run_id", name=op.f("pk_sync_runs")),
    )
    op.create_index(op.f("ix_sync_runs_county_id_applied_at"), "sync_runs", ["county_id", "applied_at"], unique=False)
    op.create_index("uq_sync_runs_active", "sync_runs", ["county_id"], unique=True, postgresql_where=sa.text("active"))
    op.create_table(
        "uploads",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("filename", sa.String(), nullable=False),
        sa.Column("object_key", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("county_id", "upload_id", name=op.f("pk_uploads")),
    )
    op.create_table(
        "valuation_models",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("model_id", sa.Uuid(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("valuation_date", sa.Date(), nullable=False),
        sa.Column("artifact_key", sa.String(), nullable=False),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("county_id", "model_id", name=op.f("pk_valuation_models")),
    )
    op.create_table(
        "valuations",
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("valuation_id", sa.Uuid(), nullable=False),
        sa.Column("property_id", sa.String(), nullable=False),
        sa.Column("valuation_date", sa.Date(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("estimate", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("lower", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("upper", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("confidence", sa.Numeric(), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("request_digest", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("county_id", "valuation_id", name=op.f("pk_valuations")),
    )
    op.create_index(
        op.f("ix_valuations_county_id_property_id"), "valuations", ["county_id", "property_id"], unique=False
    )
