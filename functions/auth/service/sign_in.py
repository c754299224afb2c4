"""Signing in through the Cognito user pool."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_args

from aws_lambda_powertools import Logger

from functions.auth.schemas import Challenge, ChallengeName, ChallengeRequest, LoginRequest, Tokens
from shared.aws import client
from shared.problems import Problem, ServiceUnavailable, TooManyRequests, Unauthorized, Unprocessable
from shared.settings import settings

Answer = TypeVar("Answer")

_logger = Logger(service="auth")

_REFUSALS = frozenset(
    {
        "NotAuthorizedException",
        "UserNotFoundException",
        "InvalidParameterException",
        "CodeMismatchException",
        "ExpiredCodeException",
    }
)
"""Cognito's words for what the caller sent. Anything else is no judgement of it: above all, that the pre-token trigger
failed (UserLambdaValidationException, UnexpectedLambdaException, InvalidLambdaResponseException), as it does while the
database is away."""

# One answer for an unknown user and a wrong password: which of them it was is nobody's business.
_REFUSED = "The user name or the password is wrong."


def login(request: LoginRequest) -> Tokens | Challenge:
    """Tokens, or the challenge of a first login. Raises Unauthorized, TooManyRequests, ServiceUnavailable."""
    answer = ask_cognito(
        lambda cognito: cognito.initiate_auth(
            ClientId=settings().user_pool_client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": request.username, "PASSWORD": request.password},
        ),
        refusal=_REFUSED,
    )
    return _tokens_or_challenge(answer)


def answer_challenge(request: ChallengeRequest) -> Tokens | Challenge:
    """Answer a login's challenge: tokens, or the next challenge, as a code after a new password.

    Raises Unauthorized, Unprocessable for a password that is too weak.
    """
    challenge: ChallengeName
    if request.new_password is not None:
        challenge, responses = "NEW_PASSWORD_REQUIRED", {"NEW_PASSWORD": request.new_password}
        refusal = "The session is not one of a login that asks for a new password, or it is over: log in again."
    else:
        challenge, responses = "SOFTWARE_TOKEN_MFA", {"SOFTWARE_TOKEN_MFA_CODE": request.code or ""}
        refusal = "The code is wrong or was used before, or the session is over: log in again."
    answer = ask_cognito(
        lambda cognito: cognito.respond_to_auth_challenge(
            ClientId=settings().user_pool_client_id,
            ChallengeName=challenge,
            Session=request.session,
            ChallengeResponses={"USERNAME": request.username, **responses},
        ),
        refusal=refusal,
        refusals=_REFUSALS | {"ResourceNotFoundException"},  # moto's word for a session that it does not know
    )
    return _tokens_or_challenge(answer)


def refresh(refresh_token: str) -> Tokens:
    """New access and ID tokens. Raises Unauthorized for a token that was revoked or has expired, ServiceUnavailable."""
    answer = ask_cognito(
        lambda cognito: cognito.initiate_auth(
            ClientId=settings().user_pool_client_id,
            AuthFlow="REFRESH_TOKEN_AUTH",
            AuthParameters={"REFRESH_TOKEN": refresh_token},
        ),
        refusal="The refresh token is not valid any more: log in again.",
    )
    return _tokens(answer)


def logout(refresh_token: str) -> None:
    """Revoke a refresh token. One that is not valid is as good as revoked.

    Access tokens that it gave are revoked for Cognito's own API, while the gateway takes them until they expire.
    """
    from botocore.exceptions import BotoCoreError

    cognito = client("cognito-idp")
    try:
        cognito.revoke_token(Token=refresh_token, ClientId=settings().user_pool_client_id)
    except (cognito.exceptions.UnauthorizedException, cognito.exceptions.InvalidParameterException):
        return
    except BotoCoreError as error:
        raise _unavailable() from error


def _tokens_or_challenge(answer: dict[str, Any]) -> Tokens | Challenge:
    name = answer.get("ChallengeName")
    if name is None:
        return _tokens(answer)
    if name not in get_args(ChallengeName):
        raise Unauthorized(
            f"This user has to answer {name}, which only Cognito's own page can.", slug="sign-in-refused"
        )
    return Challenge(challenge=name, session=answer["Session"])


def _tokens(answer: dict[str, Any]) -> Tokens:
    result = answer["AuthenticationResult"]
    return Tokens(
        access_token=result["AccessToken"],
        id_token=result["IdToken"],
        refresh_token=result.get("RefreshToken"),
        expires_in=result["ExpiresIn"],
    )


def ask_cognito(ask: Callable[[Any], Any], *, refusal: str, refusals: frozenset[str] = _REFUSALS) -> dict[str, Any]:
    """Cognito's answer. Raises Unauthorized with the words of `refusal`, and the problem of any other failure."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answer: dict[str, Any] = ask(client("cognito-idp"))
    except ClientError as error:
        raise _problem(error.response["Error"], refusal, refusals) from error
    except BotoCoreError as error:  # no answer, or none that can be read
        raise _unavailable() from error
    return answer


def _problem(error: Mapping[str, Any], refusal: str, refusals: frozenset[str]) -> Problem:
    match error["Code"]:
        case "InvalidPasswordException":
            return Unprocessable(error["Message"], pointer="/body/new_password", slug="password-too-weak")
        case "TooManyRequestsException" | "LimitExceededException":
            return TooManyRequests("Too many attempts: wait a minute.")
        case "UserNotConfirmedException" | "PasswordResetRequiredException":
            return Unauthorized("An administrator has to reset this user's password.", slug="password-reset-required")
        case code if code in refusals:
            return Unauthorized(refusal, slug="sign-in-refused")
        case code:
            _logger.error("signing in failed", code=code, reason=error.get("Message"))
            return _unavailable()


def _unavailable() -> ServiceUnavailable:
    return ServiceUnavailable(
        "Signing in is not possible at the moment; nothing is wrong with what was sent. Try again in a few seconds.",
        slug="sign-in-unavailable",
    )
