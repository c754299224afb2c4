"""Access keys, by which programs read."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

_TABLE = "access_keys"


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        _TABLE,
        sa.Column("county_id", sa.String(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("request_digest", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("owner_name", sa.String(), nullable=False),
        sa.Column("permissions", sa.String(), nullable=False),
        sa.Column("created_at", moment, server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.Column("revoked_at", moment, nullable=True),
        sa.Column("last_used_at", moment, nullable=True),
        sa.Column("tokens", sa.Double(), nullable=False),
        sa.Column("refilled_at", moment, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("county_id", "key_id", name=f"pk_{_TABLE}"),
    )
    op.create_index(f"ix_{_TABLE}_digest", _TABLE, ["digest"])
    op.create_index(f"ix_{_TABLE}_owner", _TABLE, ["owner"])
    # the counties of the unit of work, of which there may be several; and the key that has been presented
    own = "county_id = ANY (string_to_array(current_setting('app.county_id', true), ' '))"
    presented = "digest = decode(current_setting('app.key_digest', true), 'hex')"
    op.execute(f"ALTER TABLE {_TABLE} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {_TABLE} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON {_TABLE} USING ({own}) WITH CHECK ({own})")
    op.execute(f"CREATE POLICY presented ON {_TABLE} FOR SELECT USING ({presented})")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {_TABLE} TO terrafusion_app")


def downgrade() -> None:
    op.drop_table(_TABLE)
