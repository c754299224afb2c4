"""Bringing the database to the schema that this deployment's code expects."""

import os

from aws_lambda_powertools import Logger

from shared.db.engine import database_url
from shared.db.migrate import create_database, upgrade
from shared.settings import settings

_logger = Logger(service="migrations")


def migrate() -> None:
    """Bring the application's database to this release's schema, and give its role the password of its own secret.

    Creates the database where the server has none. Idempotent. Raises KeyError without DATABASE_OWNER_SECRET_ARN,
    which no other function has.
    """
    server = database_url(os.environ["DATABASE_OWNER_SECRET_ARN"])
    application = database_url(settings().database_secret_arn)
    owner = server.set(database=application.database)
    if not application.password:
        raise ValueError("the application's secret has no password")
    create_database(server, str(application.database))
    later = upgrade(owner, str(application.password))
    if later:
        _logger.warning(
            "the database is of a later release, and stays as it is",
            revision=later,
            host=owner.host,
            database=owner.database,
        )
        return
    _logger.info("the schema is the newest", host=owner.host, database=owner.database)
