"""Members of counties."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

_TABLE = "county_members"


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        _TABLE,
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("invitation_id", sa.Uuid(), nullable=True),
        sa.Column("request_digest", sa.String(), nullable=True),
        sa.Column("invited_by", sa.String(), nullable=True),
        sa.Column("invited_at", moment, nullable=True),
        sa.Column("last_signed_in_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("county_id", "username", name=f"pk_{_TABLE}"),
    )
    op.create_index(f"ix_{_TABLE}_county_id_invitation_id", _TABLE, ["county_id", "invitation_id"])
    # the counties of the unit of work, of which there may be several: a sign-in notes itself in all of the user's
    own = "county_id = ANY (string_to_array(current_setting('app.county_id', true), ' '))"
    op.execute(f"ALTER TABLE {_TABLE} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {_TABLE} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON {_TABLE} USING ({own}) WITH CHECK ({own})")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {_TABLE} TO terrafusion_app")


def downgrade() -> None:
    op.drop_table(_TABLE)
