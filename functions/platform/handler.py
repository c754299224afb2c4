"""Routes about the platform itself; none needs a token."""

from typing import Any

from aws_lambda_powertools.event_handler import Response

from functions.platform import service
from functions.platform.schemas import Health
from shared.api import Api, answer

api = Api("platform")
handler = api.handler


@api.get("/v1/health", permission=None, summary="Is the platform up")
def health() -> Response[Health]:
    """200 when everything answers, 503 when the database does not."""
    report = service.health()
    return answer(report, 200 if report.status == "ok" else 503)


@api.get("/v1/openapi.json", permission=None, summary="This API's description")
def openapi() -> Response[Any]:
    """The OpenAPI document of every route."""
    return Response(200, "application/vnd.oai.openapi+json; charset=utf-8", service.openapi_document())


@api.get("/v1/docs", permission=None, summary="A page to try the API")
def docs() -> Response[Any]:
    """A page that lists the routes and calls them; it needs nothing from elsewhere."""
    page, policy = service.docs_page()
    return Response(200, "text/html; charset=utf-8", page, {"Content-Security-Policy": policy})
