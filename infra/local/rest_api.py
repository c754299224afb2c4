"""The REST API of a template: its routes, authorizers and own answers, read from its OpenAPI document."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.local.cloud_assembly import TemplateError

_INTEGRATION = "x-amazon-apigateway-integration"
_ANY = "x-amazon-apigateway-any-method"
_DEFAULT_TTL_S = 300


@dataclass(frozen=True)
class RequestAuthorizer:
    """A Lambda authorizer of the type REQUEST: the ARN of its function, and how long its answers are kept by what."""

    function: str
    identity_sources: tuple[str, ...]
    ttl_s: int


@dataclass(frozen=True)
class Route:
    """A method of the REST API, and the ARN of the function that answers it.

    `authorizer` is the Lambda authorizer of its requests. Where it has none, `scopes` are those of which a token must
    have one; None means that no token is needed.
    """

    method: str
    path: str
    function: str
    scopes: tuple[str, ...] | None
    authorizer: RequestAuthorizer | None = None


@dataclass(frozen=True)
class GatewayAnswer:
    """A gateway response of the template; `status` None keeps the type's own."""

    status: int | None
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True)
class RestApi:
    """The API's routes, its stage's name, and its own answers by type (`UNAUTHORIZED`, ...)."""

    identifier: str
    stage: str
    routes: tuple[Route, ...]
    answers: Mapping[str, GatewayAnswer]


def read_rest_api(identifier: str, stage: str, document: Mapping[str, Any]) -> RestApi:
    """The API of a document. Raises TemplateError for what is not known here."""
    schemes = document.get("components", {}).get("securitySchemes", {})
    answers = document.get("x-amazon-apigateway-gateway-responses", {})
    return RestApi(
        identifier=identifier,
        stage=stage,
        routes=tuple(_routes(document["paths"], schemes)),
        answers={kind: _answer(answer) for kind, answer in answers.items()},
    )


def _routes(paths: Mapping[str, Any], schemes: Mapping[str, Any]) -> Iterator[Route]:
    for path, operations in paths.items():
        for method, operation in operations.items():
            integration = operation[_INTEGRATION]
            if integration["type"] != "aws_proxy":
                message = f"the integration {integration['type']} is not known here"
                raise TemplateError(message)
            scopes, authorizer = _authorization(operation.get("security", []), schemes)
            yield Route(
                method="ANY" if method == _ANY else method.upper(),
                path=path,
                function=_function_of(integration["uri"]),
                scopes=scopes,
                authorizer=authorizer,
            )


def _authorization(
    security: list[Mapping[str, list[str]]], schemes: Mapping[str, Any]
) -> tuple[tuple[str, ...] | None, RequestAuthorizer | None]:
    """Scopes and Lambda authorizer of an operation; it has at most one security requirement of one scheme."""
    if not security:
        return None, None
    ((name, scopes),) = security[0].items()
    authorizer = schemes[name]["x-amazon-apigateway-authorizer"]
    match authorizer["type"]:
        case "cognito_user_pools":
            return tuple(scopes), None
        case "request":
            return None, _request_authorizer(authorizer)
    message = f"the authorizer {authorizer['type']} is not known here"
    raise TemplateError(message)


def _request_authorizer(authorizer: Mapping[str, Any]) -> RequestAuthorizer:
    sources = (source.strip() for source in authorizer.get("identitySource", "").split(","))
    return RequestAuthorizer(
        function=_function_of(authorizer["authorizerUri"]),
        identity_sources=tuple(filter(None, sources)),
        ttl_s=int(authorizer.get("authorizerResultTtlInSeconds", _DEFAULT_TTL_S)),
    )


def _function_of(uri: str) -> str:
    """The function's ARN in `arn:aws:apigateway:REGION:lambda:path/DATE/functions/ARN/invocations`."""
    return uri.split("/functions/", 1)[1].removesuffix("/invocations")


def _answer(response: Mapping[str, Any]) -> GatewayAnswer:
    prefix = "gatewayresponse.header."
    status = response.get("statusCode")
    return GatewayAnswer(
        status=int(status) if status else None,
        headers={
            name.removeprefix(prefix): str(value).strip("'")
            for name, value in response.get("responseParameters", {}).items()
        },
        body=response.get("responseTemplates", {}).get("application/json", ""),
    )
