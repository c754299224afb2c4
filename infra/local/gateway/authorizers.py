"""Lambda authorizers of the type REQUEST: their answers are kept by the identity sources, as API Gateway keeps them."""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from infra.local.aws.policies import Access, Statement, allows, statements
from infra.local.cloud_assembly import ACCOUNT, REGION, TemplateError
from infra.local.gateway.events import ApiIdentity, Request
from infra.local.gateway.processes import FunctionFailedError, Invoker
from infra.local.gateway.routing import Match
from infra.local.rest_api import RequestAuthorizer

_MAX_KEPT = 4096
_UNAUTHORIZED = "Unauthorized"
"""The message of an error by which an authorizer refuses credentials; any other is a failure."""


class NotAuthorizedError(Exception):
    """An identity source is missing, or the authorizer has refused the credentials: 401."""


class DeniedError(Exception):
    """The authorizer's policy does not allow the method: 403."""


class AuthorizerFailedError(Exception):
    """The authorizer raised something else, or its answer is no policy: 500."""


@dataclass(frozen=True)
class _Decision:
    policy: tuple[Statement, ...]
    context: Mapping[str, Any]
    expires: float


class RequestAuthorizers:
    """Asks authorizers, and remembers what they have decided.

    `clock` tells seconds; a test moves it.
    """

    def __init__(self, api: ApiIdentity, functions: Invoker, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._functions = functions
        self._clock = clock
        self._kept: OrderedDict[tuple[str, ...], _Decision] = OrderedDict()

    async def authorize(
        self, authorizer: RequestAuthorizer, request: Request, match: Match, request_id: str
    ) -> Mapping[str, Any]:
        """`requestContext.authorizer` of a request that the policy allows.

        Raises NotAuthorizedError, DeniedError, AuthorizerFailedError.
        """
        identity = tuple(_identity(source, request, match) for source in authorizer.identity_sources)
        if authorizer.ttl_s and not all(identity):
            raise NotAuthorizedError("an identity source is missing")
        method_arn = self._method_arn(request)
        key = (authorizer.function, *identity)
        decision = self._kept.get(key) if authorizer.ttl_s else None
        if decision is None or decision.expires <= self._clock():
            decision = await self._ask(authorizer, request, match, request_id, method_arn)
            if authorizer.ttl_s:
                self._keep(key, decision)
        if not allows(decision.policy, (), "", Access("execute-api:Invoke", method_arn)):
            raise DeniedError(method_arn)
        return decision.context

    async def _ask(
        self, authorizer: RequestAuthorizer, request: Request, match: Match, request_id: str, method_arn: str
    ) -> _Decision:
        try:
            answered = await self._functions.authorize(authorizer.function, request, match, request_id, method_arn)
            context = _context(answered)
            policy = statements(answered["policyDocument"])
        except FunctionFailedError as error:
            if str(error).rpartition(": ")[2] == _UNAUTHORIZED:
                raise NotAuthorizedError("refused by the authorizer") from error
            raise AuthorizerFailedError(str(error)) from error
        except (KeyError, TypeError, ValueError, AttributeError, TemplateError) as error:
            raise AuthorizerFailedError(f"no policy: {error!r}") from error
        return _Decision(policy, context, self._clock() + authorizer.ttl_s)

    def _keep(self, key: tuple[str, ...], decision: _Decision) -> None:
        self._kept[key] = decision
        self._kept.move_to_end(key)
        if len(self._kept) > _MAX_KEPT:
            self._kept.popitem(last=False)

    def _method_arn(self, request: Request) -> str:
        api = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{self._api.identifier}"
        return f"{api}/{self._api.stage}/{request.method}{request.path}"


def _identity(source: str, request: Request, match: Match) -> str:
    """The value of an identity source. Raises TemplateError for one that is not known here."""
    if source.startswith("method.request.header."):
        name = source.rpartition(".")[2].lower().encode()
        values = [value.decode("latin-1") for header, value in request.headers if header == name]
        return ",".join(values)
    if source == "context.resourcePath":
        return match.route.path
    message = f"the identity source {source} is not known here"
    raise TemplateError(message)


def _context(answered: Any) -> dict[str, Any]:
    """The part of an authorizer's answer that functions get. Raises ValueError for what API Gateway does not take."""
    given = answered.get("context") or {}
    for name, value in given.items():
        if not isinstance(value, str | int | float | bool):
            message = f"context.{name} is neither text, number nor boolean"
            raise ValueError(message)
    texts = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}
    return {"principalId": str(answered["principalId"]), **texts}
