"""Routes about the platform itself; none needs a token."""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.event_handler import Response

from functions.platform import service
from functions.platform.schemas import Health
from shared.api import Api, answer

api = Api("platform")
handler = api.handler

_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
)
"""A browser runs scripts and styles that are files of this origin, none within the page; the viewer's icons are `data:`
addresses in its style."""


@api.get("/v1/health", permission=None, summary="Is the platform up")
def health() -> Response[Health]:
    """200 when everything answers, 503 when the database does not."""
    report = service.health()
    return answer(report, 200 if report.status == "ok" else 503)


@api.get("/v1/openapi.json", permission=None, summary="This API's description")
def openapi() -> Response[Any]:
    """The OpenAPI document of every route."""
    return _static(service.openapi_document())


@api.get("/v1/docs", permission=None, summary="A page to try the API", media_types=("text/html",))
def docs() -> Response[Any]:
    """A page that lists the routes and calls them; it needs nothing from elsewhere."""
    return _static(service.docs_page(), {"Content-Security-Policy": _PAGE_POLICY})


@api.get(
    "/v1/docs/{asset}",
    permission=None,
    summary="A file of the page to try the API",
    media_types=("text/css", "text/javascript"),
)
def docs_asset(asset: str) -> Response[Any]:
    """A script or the style of the page."""
    return _static(service.docs_asset(asset))


def _static(file: service.StaticFile, headers: Mapping[str, str] | None = None) -> Response[Any]:
    """The file with its ETag; 304 to a browser that has it. Browsers keep it, and ask each time if it still holds."""
    sent = {"ETag": file.etag, "Cache-Control": "no-cache", **(headers or {})}
    if file.etag in (api.header("if-none-match") or ""):
        return Response(304, headers=sent)
    return Response(200, file.content_type, file.text, sent)
