"""Clients of AWS services, created at first use: importing boto3 costs a cold start a quarter of a second."""

from __future__ import annotations

import os
from functools import cache, partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal, overload

from shared.problems import ServiceUnavailable

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_stepfunctions import SFNClient


_LAMBDA_TIMEOUT_S = 26
"""Seconds to wait for a function that a request calls: API Gateway waits 29, so that there is no second attempt."""


@overload
def client(service: Literal["cognito-idp"]) -> CognitoIdentityProviderClient: ...
@overload
def client(service: Literal["events"]) -> EventBridgeClient: ...
@overload
def client(service: Literal["s3"]) -> S3Client: ...
@overload
def client(service: Literal["lambda"]) -> Any: ...
@overload
def client(service: Literal["scheduler"]) -> EventBridgeSchedulerClient: ...
@overload
def client(service: Literal["secretsmanager"]) -> SecretsManagerClient: ...
@overload
def client(service: Literal["stepfunctions"]) -> SFNClient: ...
def client(service: str) -> Any:
    """The process's client of `service`; credentials, region and endpoint come from the environment."""
    return _client(service)


@cache
def _client(service: str) -> Any:
    import boto3
    from botocore.config import Config

    config = Config(retries={"mode": "standard", "max_attempts": 3})
    if service == "s3":
        config = config.merge(Config(signature_version="s3v4", s3={"addressing_style": _addressing_style()}))
    if service == "lambda":
        config = Config(retries={"total_max_attempts": 1}, read_timeout=_LAMBDA_TIMEOUT_S)
    service_client = boto3.client(service, config=config)  # type: ignore[call-overload]
    if service in _OUTAGES:
        identifier = service_client.meta.service_model.service_id.hyphenize()
        service_client.meta.events.register(f"after-call-error.{identifier}", partial(_raise_no_answer, service))
        service_client.meta.events.register(f"after-call.{identifier}", partial(_raise_server_error, service))
    return service_client


_OUTAGES = {
    "events": ("The event bus", "event-bus-unavailable"),
    "s3": ("The object store", "object-store-unavailable"),
    "scheduler": ("The scheduler", "scheduler-unavailable"),
    "secretsmanager": ("The store of secrets", "secrets-unavailable"),
}
"""Services whose outages are problems that requests and machines try again: a noun and a slug of each. Callers of the
others say themselves what no answer means to them."""
_THROTTLED = frozenset({"SlowDown", "ThrottlingException", "Throttling", "TooManyRequestsException"})


def _raise_no_answer(service: str, exception: Exception, **_: Any) -> None:
    """Raise ServiceUnavailable for a call that got no answer, after botocore's own retries."""
    from botocore.exceptions import ConnectionError as NoConnection
    from botocore.exceptions import HTTPClientError

    if isinstance(exception, HTTPClientError | NoConnection):
        raise outage(service) from exception


def _raise_server_error(service: str, http_response: Any, parsed: Any, **_: Any) -> None:
    """Raise ServiceUnavailable for a call that was answered by a server error, or throttled."""
    code = (parsed.get("Error") or {}).get("Code")
    if http_response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR or code in _THROTTLED:
        raise outage(service)


def outage(service: str) -> ServiceUnavailable:
    """The problem that an outage or a throttling of a service is to a request, and to a task that is retried."""
    noun, slug = _OUTAGES[service]
    return ServiceUnavailable(f"{noun} does not answer at the moment. Try again in a few seconds.", slug=slug)


def _addressing_style() -> Literal["path", "virtual"]:
    """`virtual` names the bucket's own region in a signed address. Left to itself boto3 signs the global address, and a
    new bucket in another region answers that with a redirect on which the signature no longer fits. An endpoint of the
    environment's (`AWS_ENDPOINT_URL`) has no host names for buckets."""
    return "path" if "AWS_ENDPOINT_URL" in os.environ or "AWS_ENDPOINT_URL_S3" in os.environ else "virtual"


def forget_clients() -> None:
    """Drop the cached clients, for a process whose environment changes (tests)."""
    _client.cache_clear()
