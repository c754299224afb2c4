"""A job knows the execution that works on it, and when what it changes was committed."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("ALTER TABLE jobs ADD COLUMN execution_arn varchar, ADD COLUMN committed_at timestamptz")


def downgrade() -> None:
    op.execute("ALTER TABLE jobs DROP COLUMN execution_arn, DROP COLUMN committed_at")
