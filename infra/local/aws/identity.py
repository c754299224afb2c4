"""Cognito: what moto does not do, and what it would forget.

Tokens are signed with a key of this data directory (moto's own private key is public), the V2 pre-token
trigger shapes them, and they can be revoked. Users, their groups and the tokens issued are kept.
"""

import json
import logging
import secrets
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwk
from moto.cognitoidp import models, responses
from moto.cognitoidp.exceptions import InvalidParameterException
from moto.cognitoidp.utils import flatten_attrs
from moto.core.exceptions import JsonRESTError
from moto.core.responses import EmptyResult

from infra.local.aws.replacements import Replacements
from infra.local.cloud_assembly import ACCOUNT, REGION
from infra.local.quotas import ATTRIBUTE_CHARACTERS
from infra.local.state import StateStore
from infra.local.template import UserPool

_log = logging.getLogger(__name__)

KEY_ID = "dummy"  # what moto writes into every token's header
OWN_SCOPE = "aws.cognito.signin.user.admin"

_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
_DEFAULT_VALIDITY = {
    "access": ("AccessToken", 1, "hours"),
    "id": ("IdToken", 1, "hours"),
    "refresh": ("RefreshToken", 30, "days"),
}
_RESERVED = frozenset({"acr", "amr", "at_hash", "auth_time", "azp", "c_hash", "exp", "iat", "iss", "jti", "nbf"}) | {
    "nonce",
    "origin_jti",
    "sub",
    "token_use",
    "version",
}
"""Claims that Cognito does not let a trigger change."""

Trigger = Callable[[dict[str, Any]], Any]


class Identity:
    """One user pool's keys, trigger and memory."""

    def __init__(self, pool: UserPool, state: StateStore, trigger: Trigger | None) -> None:
        self._pool = pool
        self._state = state
        self._trigger = trigger
        self._key = _signing_key(state)
        self._issued: dict[str, float] = {}

    @property
    def issuer(self) -> str:
        """The `iss` of the pool's tokens."""
        return f"https://cognito-idp.{REGION}.amazonaws.com/{self._pool.identifier}"

    @property
    def public_keys(self) -> dict[str, rsa.RSAPublicKey]:
        """The keys that verify the pool's tokens, by key id."""
        return {KEY_ID: self._key.public_key()}

    def install(self, replacements: Replacements) -> None:
        """Changes moto's Cognito; must precede the pool's creation, which takes its ids from here."""
        identifiers = iter((self._pool.identifier.removeprefix(f"{REGION}_"), self._pool.client_identifier))
        replacements.replace(models, "generate_id", lambda *_: next(identifiers))
        create_jwt = models.CognitoIdpUserPool.create_jwt

        def create(
            pool: Any,
            client_id: str,
            username: str,
            use: str,
            expires_in: int = 0,  # noqa: ARG001  # moto passes none: the client's settings say it
            extra_data: dict[str, Any] | None = None,
        ) -> tuple[str, int]:
            claims = self._shaped(pool, client_id, username, use, dict(extra_data or {}))
            return create_jwt(pool, client_id, username, use, self._validity(use), claims)

        def revoke_token(response: Any) -> EmptyResult:
            self._pool_object().refresh_tokens.pop(response._get_param("Token"), None)
            return EmptyResult()

        replacements.replace(models.CognitoIdpUserPool, "create_jwt", create)
        replacements.replace(models, "flatten_attrs", _within_quota)
        replacements.replace(models.CognitoIdpBackend, "admin_create_user", logged_invitations())
        replacements.add(responses.CognitoIdpResponse, "revoke_token", revoke_token)
        document = json.dumps({"keys": [_public_document(self._key)]}).encode()
        replacements.replace(responses.CognitoIdpJsonWebKeyResponse, "json_web_key", document)

    def load(self) -> None:
        """Gives moto the users and tokens of earlier runs. The pool and its groups must exist."""
        pool = self._pool_object()
        pem = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        pool.json_web_key = jwk.RSAKey.import_key(pem)
        for username, document in self._state.all("user").items():
            pool.users[username] = _restored_user(pool, username, document)
        for token, document in self._state.all("refresh_token").items():
            pool.refresh_tokens[token] = (document["client"], document["username"], document["origin"])
            self._issued[token] = document["issued"]
        for token, document in self._state.all("access_token").items():
            pool.access_tokens[token] = (document["client"], document["username"])
            self._issued[token] = document["issued"]

    def write_down(self) -> None:
        """Brings the state store up to date; forgets tokens whose time is over."""
        pool = self._pool_object()
        now = time.time()
        self._forget(pool.refresh_tokens, now - self._validity("refresh"))
        self._forget(pool.access_tokens, now - self._validity("access"))
        pool.id_tokens.clear()  # moto writes them down and never reads them
        self._state.mirror("user", {name: _describe_user(user) for name, user in dict(pool.users).items()})
        self._state.mirror(
            "refresh_token",
            {
                token: {
                    "client": details[0],
                    "username": details[1],
                    "origin": details[2],
                    "issued": self._issued[token],
                }
                for token, details in dict(pool.refresh_tokens).items()
            },
        )
        self._state.mirror(
            "access_token",
            {
                token: {"client": details[0], "username": details[1], "issued": self._issued[token]}
                for token, details in dict(pool.access_tokens).items()
            },
        )

    def _forget(self, tokens: dict[str, Any], issued_before: float) -> None:
        """Drops revoked tokens (None) and old ones; new ones are noted with the time."""
        for token, details in list(tokens.items()):
            issued = self._issued.setdefault(token, time.time())
            if details is None or issued < issued_before:
                del tokens[token]
                self._issued.pop(token, None)

    def _pool_object(self) -> Any:
        return models.cognitoidp_backends[ACCOUNT][REGION].user_pools[self._pool.identifier]

    def _validity(self, use: str) -> int:
        """Seconds that a token of this use is valid: the client's setting, or Cognito's default."""
        name, default_amount, default_unit = _DEFAULT_VALIDITY[use]
        unit = self._pool.client.get("TokenValidityUnits", {}).get(name, default_unit)
        return int(self._pool.client.get(f"{name}Validity", default_amount)) * _SECONDS[unit]

    def _shaped(self, pool: Any, client_id: str, username: str, use: str, claims: dict[str, Any]) -> dict[str, Any]:
        """The token's claims as the trigger wants them."""
        if self._trigger is None:
            return claims
        user = pool._get_user(username)
        attributes = {attribute["Name"]: attribute["Value"] for attribute in user.attributes}
        event = {
            "version": "2",
            "triggerSource": "TokenGeneration_Authentication",
            "region": REGION,
            "userPoolId": pool.id,
            "userName": user.username,
            "callerContext": {"awsSdkVersion": "local", "clientId": client_id},
            "request": {
                "userAttributes": attributes | {"cognito:user_status": str(getattr(user.status, "value", user.status))},
                "groupConfiguration": {
                    "groupsToOverride": sorted(group.group_name for group in user.groups),
                    "iamRolesToOverride": [],
                    "preferredRole": None,
                },
                "scopes": [OWN_SCOPE],
            },
            "response": {"claimsAndScopeOverrideDetails": None},
        }
        try:
            answered = self._trigger(event)
        except Exception as error:
            raise JsonRESTError("UserLambdaValidationException", f"PreTokenGeneration failed: {error}") from error
        details = answered["response"].get("claimsAndScopeOverrideDetails") or {}
        return apply_overrides(claims, details, use)


def apply_overrides(claims: dict[str, Any], details: dict[str, Any], use: str) -> dict[str, Any]:
    """`claims` of an access or ID token after a V2 trigger's `claimsAndScopeOverrideDetails`."""
    section = details.get("accessTokenGeneration" if use == "access" else "idTokenGeneration") or {}
    shaped = dict(claims)
    for name in section.get("claimsToSuppress") or ():
        if name not in _RESERVED:
            shaped.pop(name, None)
    added = section.get("claimsToAddOrOverride") or {}
    shaped |= {name: value for name, value in added.items() if name not in _RESERVED}
    groups = (details.get("groupOverrideDetails") or {}).get("groupsToOverride")
    if groups is not None:
        shaped["cognito:groups"] = list(groups)
    if use == "access":
        suppressed = set(section.get("scopesToSuppress") or ())
        scopes = str(claims.get("scope", "")).split() + list(section.get("scopesToAdd") or ())
        shaped["scope"] = " ".join(dict.fromkeys(scope for scope in scopes if scope not in suppressed))
    return shaped


def _signing_key(state: StateStore) -> rsa.RSAPrivateKey:
    """The data directory's key, made at the first start."""
    stored = state.get("signing_key", "tokens")
    if stored is None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        state.put("signing_key", "tokens", pem.decode())
        return key
    loaded = serialization.load_pem_private_key(stored.encode(), password=None)
    if not isinstance(loaded, rsa.RSAPrivateKey):
        message = "the kept signing key is not an RSA key"
        raise TypeError(message)
    return loaded


def logged_invitations() -> Callable[..., Any]:
    """AdminCreateUser with the passwords that Cognito makes and mails: no mail leaves, the log has it.

    Moto's own makes a user of an invitation that is sent again, without groups and under another subject.
    """
    create_user = models.CognitoIdpBackend.admin_create_user

    def invite(
        backend: Any,
        user_pool_id: str,
        username: str,
        message_action: str,
        temporary_password: str | None,
        attributes: list[dict[str, str]],
    ) -> Any:
        password = temporary_password or f"aA1!{secrets.token_urlsafe(12)}"
        if message_action == "RESEND":
            user = backend.admin_get_user(user_pool_id, username)
            if user.status is not models.UserStatus.FORCE_CHANGE_PASSWORD:
                raise JsonRESTError("UnsupportedUserStateException", "Resend not possible.")
            user.password = password
        else:
            user = create_user(backend, user_pool_id, username, message_action, password, attributes)
        if message_action != "SUPPRESS" and temporary_password is None:
            _log.warning("Mail to %s: your user name is %s, your temporary password %s", username, username, password)
        return user

    return invite


def _within_quota(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    """A user's attributes by name. Raises InvalidParameterException for one that is longer than Cognito takes."""
    for attribute in attributes:
        if len(attribute["Value"]) > ATTRIBUTE_CHARACTERS:
            message = f"User attribute {attribute['Name']} is longer than {ATTRIBUTE_CHARACTERS} characters"
            raise InvalidParameterException(message)
    return flatten_attrs(attributes)


def _public_document(key: rsa.RSAPrivateKey) -> dict[str, Any]:
    pem = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    document = dict(jwk.RSAKey.import_key(pem).as_dict())
    return document | {"kid": KEY_ID, "alg": "RS256", "use": "sig"}


def _describe_user(user: Any) -> dict[str, Any]:
    return {
        "id": user.id,
        "password": user.password,
        "status": str(getattr(user.status, "value", user.status)),
        "enabled": user.enabled,
        "attributes": user.attributes,
        "groups": sorted(group.group_name for group in user.groups),
        "token_mfa": user.software_token_mfa_enabled,
        "token_verified": user.token_verified,
        "preferred_mfa": user.preferred_mfa_setting,
        "created": user.create_date.isoformat(),
    }


def _restored_user(pool: Any, username: str, document: dict[str, Any]) -> Any:
    user = models.CognitoIdpUser(
        pool.id, username, document["password"], models.UserStatus(document["status"]), document["attributes"]
    )
    user.id = document["id"]
    user.update_attributes([{"Name": "sub", "Value": user.id}])
    user.enabled = document["enabled"]
    user.software_token_mfa_enabled = document["token_mfa"]
    user.token_verified = document["token_verified"]
    user.preferred_mfa_setting = document["preferred_mfa"]
    user.create_date = datetime.fromisoformat(document["created"])
    for name in document["groups"]:
        group = pool.groups.get(name)
        if group is not None:  # the template may have dropped it
            user.groups.add(group)
            group.users.add(user)
    return user
