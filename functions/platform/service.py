"""Health and description of the platform, and the page to try its API."""

import hashlib
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path

import aws_lambda_powertools
from sqlalchemy import text

from functions.platform.schemas import Health
from shared.db import unit_of_work
from shared.problems import NotFound

VERSION = "0.1.0"

_OWN = Path(__file__).parent
_SWAGGER_UI = Path(aws_lambda_powertools.__file__).parent / "event_handler/openapi/swagger_ui"
"""Swagger UI as Powertools ships it."""
_SCRIPT = "text/javascript; charset=utf-8"
_ASSETS = {
    "initializer.js": (_SCRIPT, _OWN, "initializer.js"),
    "swagger-ui-bundle.js": (_SCRIPT, _SWAGGER_UI, "swagger-ui-bundle.min.js"),
    "swagger-ui.css": ("text/css; charset=utf-8", _SWAGGER_UI, "swagger-ui.min.css"),
}
"""By the name in the page: content type, folder and file."""


def health() -> Health:
    """Look whether the database answers; a failure is an answer too, not an error."""
    try:
        with unit_of_work() as connection:
            connection.execute(text("SELECT 1"))
    except Exception:
        return Health(status="degraded", database="unreachable", version=VERSION)
    return Health(status="ok", database="ok", version=VERSION)


@dataclass(frozen=True)
class StaticFile:
    """A file that is served as it is; its ETag is a digest of its text."""

    content_type: str
    text: str

    @cached_property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.text.encode()).hexdigest()}"'


@cache
def docs_page() -> StaticFile:
    """The page to try the API."""
    return StaticFile("text/html; charset=utf-8", (_OWN / "docs.html").read_text())


@lru_cache(maxsize=len(_ASSETS))
def docs_asset(name: str) -> StaticFile:
    """A script or the style of the page to try the API. Raises NotFound."""
    asset = _ASSETS.get(name)
    if asset is None:
        raise NotFound("The page has no file of this name.")
    content_type, folder, file = asset
    return StaticFile(content_type, (folder / file).read_text())


@cache
def openapi_document() -> StaticFile:
    """The API's description (OpenAPI 3.1), as derived from every module's routes when this was built."""
    return StaticFile("application/vnd.oai.openapi+json; charset=utf-8", (_OWN / "openapi.json").read_text())
