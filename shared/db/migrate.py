"""Bring a database to the newest schema, and make the role that the application signs in as."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from pg8000.native import identifier, literal
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

from shared.db.engine import make_engine
from shared.db.roles import APPLICATION_ROLE, STAGING_ROLE

LOCALE = "C.UTF-8"
"""Texts are ordered by code point, by PostgreSQL itself: the same pages of a list here and on AWS, LIKE of a beginning
by the index, and no REINDEX when the operating system learns to sort otherwise. A server's own default is glibc's."""
_MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(url: URL, application_password: str) -> str | None:
    """Create or update everything, as the owner that `url` signs in as. Safe to run again, and at the same time: a
    deployment that gave up waiting may have left one running. One waits for the other, and finds nothing to do.

    The application's role owns no table and cannot bypass row-level security.

    A database that a later release has migrated is left as it is: this release is being deployed again, or rolled back
    to. Migrations expand first and contract a release later, so its code runs on that schema. Returns the later
    revision then, None otherwise.
    """
    owner = make_engine(url)
    try:
        with owner.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('terrafusion migrations'))"))
            _make_application_role(connection, application_password)
            _make_staging_role(connection)
            config = configuration(connection)
            later = _unknown_revision(connection, config)
            if later is None:
                command.upgrade(config, "head")
            return later
    finally:
        owner.dispose()


def create_database(server: URL, name: str) -> None:
    """Create the database `name`, ordered by `LOCALE`, unless it is there; `server` leads to another one."""
    engine = make_engine(server)
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if connection.scalar(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}) is None:
                connection.exec_driver_sql(
                    f"CREATE DATABASE {identifier(name)} TEMPLATE template0 ENCODING 'UTF8'"
                    f" LOCALE_PROVIDER builtin BUILTIN_LOCALE {literal(LOCALE)}"
                )
    finally:
        engine.dispose()


def configuration(connection: Connection) -> Config:
    """Alembic's configuration on an open connection; the transaction is the caller's."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))  # a per cent sign interpolates
    config.attributes["connection"] = connection
    return config


def _unknown_revision(connection: Connection, config: Config) -> str | None:
    """The database's revision where these migrations do not have it."""
    current = MigrationContext.configure(connection).get_current_revision()
    if current is None:
        return None
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    return None if current in known else current


def _make_application_role(connection: Connection, password: str) -> None:
    role = identifier(APPLICATION_ROLE)
    verb = "ALTER" if _role_exists(connection, APPLICATION_ROLE) else "CREATE"
    # a literal, because utility statements take no parameters
    connection.exec_driver_sql(f"{verb} ROLE {role} LOGIN PASSWORD {literal(password)}")


def _make_staging_role(connection: Connection) -> None:
    """Not inherited: row-level security passes over an owner, and over whoever has an owner's privileges."""
    if not _role_exists(connection, STAGING_ROLE):
        connection.exec_driver_sql(f"CREATE ROLE {STAGING_ROLE} NOLOGIN")
        connection.exec_driver_sql(f"GRANT {STAGING_ROLE} TO {APPLICATION_ROLE} WITH INHERIT FALSE, SET TRUE")


def _role_exists(connection: Connection, role: str) -> bool:
    return connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}) is not None
