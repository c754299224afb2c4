"""The HTTP status of each kind of problem."""

from collections.abc import Mapping
from http import HTTPStatus

from shared.problems import (
    BadRequest,
    Conflict,
    Forbidden,
    Gone,
    NotAcceptable,
    NotFound,
    PayloadTooLarge,
    PreconditionFailed,
    PreconditionRequired,
    Problem,
    ServiceUnavailable,
    SourceTimeout,
    SourceUnavailable,
    TooManyRequests,
    Unauthorized,
    Unprocessable,
    UnsupportedMediaType,
)

_STATUS: Mapping[type[Problem], HTTPStatus] = {
    Problem: HTTPStatus.INTERNAL_SERVER_ERROR,
    BadRequest: HTTPStatus.BAD_REQUEST,
    Unauthorized: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    NotAcceptable: HTTPStatus.NOT_ACCEPTABLE,
    Conflict: HTTPStatus.CONFLICT,
    Gone: HTTPStatus.GONE,
    PreconditionFailed: HTTPStatus.PRECONDITION_FAILED,
    PayloadTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnsupportedMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Unprocessable: HTTPStatus.UNPROCESSABLE_ENTITY,
    PreconditionRequired: HTTPStatus.PRECONDITION_REQUIRED,
    TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    SourceUnavailable: HTTPStatus.BAD_GATEWAY,
    SourceTimeout: HTTPStatus.GATEWAY_TIMEOUT,
    ServiceUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}


def status_of(kind: type[Problem]) -> int:
    """The status of a kind of problem, or that of the nearest kind above it."""
    return next(int(_STATUS[base]) for base in kind.__mro__ if base in _STATUS)
