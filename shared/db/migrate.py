"""Bring a database to the newest schema, and make the role that the application signs in as."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from pg8000.native import identifier, literal
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

from shared.db.engine import make_engine

APPLICATION_ROLE = "terrafusion_app"
_MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(url: URL, application_password: str) -> None:
    """Create or update everything, as the owner that `url` signs in as. Safe to run again, and at the same time: a
    deployment that gave up waiting may have left one running. One waits for the other, and finds nothing to do.

    The application's role owns no table and cannot bypass row-level security.
    """
    owner = make_engine(url)
    try:
        with owner.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('terrafusion migrations'))"))
            _make_application_role(connection, application_password)
            command.upgrade(configuration(connection), "head")
    finally:
        owner.dispose()


def configuration(connection: Connection) -> Config:
    """Alembic's configuration on an open connection; the transaction is the caller's."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def _make_application_role(connection: Connection, password: str) -> None:
    role = identifier(APPLICATION_ROLE)
    exists = connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": APPLICATION_ROLE})
    verb = "ALTER" if exists else "CREATE"
    # a literal, because utility statements take no parameters
    connection.exec_driver_sql(f"{verb} ROLE {role} LOGIN PASSWORD {literal(password)}")
