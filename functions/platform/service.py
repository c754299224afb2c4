"""Health and description of the platform."""

from functools import cache
from pathlib import Path

from sqlalchemy import text

from functions.platform.schemas import Health
from shared.db import unit_of_work

VERSION = "0.1.0"


def health() -> Health:
    """Look whether the database answers; a failure is an answer too, not an error."""
    try:
        with unit_of_work() as connection:
            connection.execute(text("SELECT 1"))
    except Exception:
        return Health(status="degraded", database="unreachable", version=VERSION)
    return Health(status="ok", database="ok", version=VERSION)


@cache
def openapi_document() -> str:
    """The API's description (OpenAPI 3.1), as derived from every module's routes when this was built."""
    return (Path(__file__).parent / "openapi.json").read_text()
