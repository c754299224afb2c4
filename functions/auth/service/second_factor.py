"""A user's second factor: the codes of an authenticator app (TOTP, RFC 6238), which Cognito verifies."""

from urllib.parse import quote

from functions.auth.schemas import TotpConfirmation, TotpSecret
from functions.auth.service.sign_in import ask_cognito
from shared.access import Caller

_ISSUER = "TerraFusion"
_REFUSED = "The session is over: sign in again."
_WRONG_CODE = "The code is wrong: read the next one that the app shows."


def new_secret(access_token: str, caller: Caller) -> TotpSecret:
    """A secret for the caller's app, which is in use once it is confirmed. Raises Unauthorized, TooManyRequests."""
    answer = ask_cognito(lambda cognito: cognito.associate_software_token(AccessToken=access_token), refusal=_REFUSED)
    secret = answer["SecretCode"]
    label = quote(f"{_ISSUER}:{caller.username}", safe="")
    return TotpSecret(secret=secret, uri=f"otpauth://totp/{label}?secret={secret}&issuer={_ISSUER}")


def confirm(access_token: str, request: TotpConfirmation) -> None:
    """Ask for a code at each sign-in from now on. Raises Unauthorized for a wrong code."""
    ask_cognito(
        lambda cognito: cognito.verify_software_token(AccessToken=access_token, UserCode=request.code),
        refusal=_WRONG_CODE,
        refusals=_WRONG_CODES,
    )
    _prefer(access_token, enabled=True)


def turn_off(access_token: str) -> None:
    """Ask for no code any more."""
    _prefer(access_token, enabled=False)


_WRONG_CODES = frozenset(
    {"CodeMismatchException", "EnableSoftwareTokenMFAException", "NotAuthorizedException", "InvalidParameterException"}
)


def _prefer(access_token: str, *, enabled: bool) -> None:
    ask_cognito(
        lambda cognito: cognito.set_user_mfa_preference(
            AccessToken=access_token, SoftwareTokenMfaSettings={"Enabled": enabled, "PreferredMfa": enabled}
        ),
        refusal=_REFUSED,
    )
