"""Champion and challenger models, and valuation runs over a county."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_index("ix_valuation_models_county_id_status", "valuation_models", ["county_id", "status"])
