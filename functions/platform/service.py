"""Health and description of the platform."""

import hashlib
import re
from base64 import b64encode
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
def docs_page() -> tuple[str, str]:
    """The page to try the API, and the policy under which a browser runs its own script and style and nothing else."""
    page = (Path(__file__).parent / "docs.html").read_text()
    script, style = (_digest_of(page, element) for element in ("script", "style"))
    return page, (
        f"default-src 'none'; script-src '{script}'; style-src '{style}'; connect-src 'self'; base-uri 'none';"
        " form-action 'none'; frame-ancestors 'none'"
    )


def _digest_of(page: str, element: str) -> str:
    """The digest of an element's text, as a policy names it (CSP, hash-source)."""
    match = re.search(rf"<{element}[^>]*>(.*?)</{element}>", page, re.DOTALL)
    text = match[1] if match else ""
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def openapi_document() -> str:
    """The API's description (OpenAPI 3.1), as derived from every module's routes when this was built."""
    return (Path(__file__).parent / "openapi.json").read_text()
