"""Staged rows belong to a county too: a role that only loads them, and a check of whose they are."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("GRANT USAGE, CREATE ON SCHEMA staging TO terrafusion_staging")
    # COPY does not go into a table under row-level security, unless the table's owner sends it, whom it passes over:
    # then the transaction's county is compared once a statement, when all has come: an error before the first row would
    # leave the driver's questions and the server's answers out of step
    op.execute(
        "CREATE FUNCTION staging.require_county() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$"
        " BEGIN"
        " IF current_setting('app.county_id', true) IS DISTINCT FROM TG_ARGV[0] THEN"
        " RAISE insufficient_privilege"
        " USING MESSAGE = format('%s holds staged rows of another county', TG_TABLE_NAME);"
        " END IF;"
        " RETURN NULL;"
        " END $$"
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION staging.require_county")
    op.execute("REVOKE ALL ON SCHEMA staging FROM terrafusion_staging")
