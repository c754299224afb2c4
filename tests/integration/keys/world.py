"""The surroundings of access keys: users of a pool, counties, and requests to the authorizer and to handlers."""

import base64
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import boto3
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import insert

from functions.keys.authorizer import handler as authorizer
from functions.keys.service import access_tokens
from functions.keys.service.credentials import UnauthorizedError
from shared.access import Role, key_secret
from shared.db import unit_of_work
from shared.db.models import AccessKey
from shared.settings import settings
from tests.aws import aws_in_this_process
from tests.gateway import LambdaContext, claims_of
from tests.integration.evidence_county import add_county

COUNTY, OTHER = "king_wa", "lucas_oh"
PROPERTIES = "/v1/counties/{county_id}/properties"
AUDIT = "/v1/counties/{county_id}/audit-events"
ISSUER, KEY_ID = "https://issuer.invalid/pool", "one"
SIGNING_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ARN = "arn:aws:execute-api:us-east-1:111122223333:api/dev"


class Clock:
    """A clock that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class PublishedKeys:
    """The pool's published keys, in place of an address."""

    def get_signing_key(self, key_id: str) -> jwt.PyJWK:
        if key_id != KEY_ID:
            raise jwt.PyJWKClientError(key_id)
        return jwt.PyJWK(jwt.algorithms.RSAAlgorithm.to_jwk(SIGNING_KEY.public_key(), as_dict=True) | {"alg": "RS256"})


@dataclass
class World:
    """What the tests of keys act on."""

    pool: str
    clock: Clock
    cognito: Any = field(default_factory=lambda: boto3.client("cognito-idp"))

    def add_user(self, username: str, role: Role = Role.ASSESSOR, counties: str = f"{COUNTY} {OTHER}") -> str:
        """Add a user, and return the subject."""
        attributes = [{"Name": "custom:counties", "Value": counties}, {"Name": "email", "Value": f"{username}@x.gov"}]
        created = self.cognito.admin_create_user(UserPoolId=self.pool, Username=username, UserAttributes=attributes)
        self.cognito.admin_add_user_to_group(UserPoolId=self.pool, Username=username, GroupName=role.value)
        return subject_of(created["User"]["Attributes"])

    def add_key(
        self,
        *,
        username: str = "somebody",
        counties: tuple[str, ...] = (COUNTY,),
        permissions: str = "view_properties",
        **columns: Any,
    ) -> tuple[str, UUID]:
        """Add a key, and return its secret and its id."""
        secret, key_id = key_secret.new_secret(), uuid4()
        user = self.cognito.admin_get_user(UserPoolId=self.pool, Username=username)
        row = {
            "key_id": key_id,
            "digest": key_secret.digest(secret),
            "request_digest": "",
            "name": "QGIS",
            "owner": subject_of(user["UserAttributes"]),
            "owner_name": username,
            "permissions": permissions,
            "expires_at": "2100-01-01T00:00:00Z",
            "tokens": 60,
        }
        with unit_of_work(*counties) as connection:
            connection.execute(insert(AccessKey), [{"county_id": county, **row, **columns} for county in counties])
        return secret, key_id

    def attributes(self, username: str, **values: str) -> None:
        """Change a user's attributes."""
        changed = [{"Name": f"custom:{name}", "Value": value} for name, value in values.items()]
        self.cognito.admin_update_user_attributes(UserPoolId=self.pool, Username=username, UserAttributes=changed)


def subject_of(attributes: list[dict[str, str]]) -> str:
    """The attribute `sub`."""
    return next(attribute["Value"] for attribute in attributes if attribute["Name"] == "sub")


@contextmanager
def world(patch: pytest.MonkeyPatch, clock: Clock) -> Iterator[World]:
    """AWS, a pool with `somebody` in it, and both counties, for as long as the context lasts."""
    with aws_in_this_process(patch, "jobs"):
        cognito = boto3.client("cognito-idp")
        pool = cognito.create_user_pool(
            PoolName="p", Schema=[{"Name": "counties", "AttributeDataType": "String", "Mutable": True}]
        )["UserPool"]["Id"]
        client = cognito.create_user_pool_client(UserPoolId=pool, ClientName="c")["UserPoolClient"]["ClientId"]
        for role in Role:
            cognito.create_group(UserPoolId=pool, GroupName=role.value)
        patch.setenv("USER_POOL_ID", pool)
        patch.setenv("USER_POOL_CLIENT_ID", client)
        settings.cache_clear()
        patch.setattr(access_tokens, "_published_keys", PublishedKeys)
        patch.setattr(access_tokens, "_issuer", lambda: ISSUER)
        for county in (COUNTY, OTHER):
            add_county(county)
        made = World(pool, clock)
        made.add_user("somebody")
        yield made


def bearer(credentials: str) -> dict[str, list[str]]:
    """Headers with a token or a key."""
    return {"Authorization": [f"Bearer {credentials}"]}


def basic(password: str, user: str = "anybody") -> dict[str, list[str]]:
    """Headers as a spreadsheet sends them."""
    return {"authorization": ["Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()]}


def access_token(**claims: Any) -> str:
    """An access token of the pool's."""
    body = {**claims_of(Role.ASSESSOR, (COUNTY,)), "iss": ISSUER, "exp": time.time() + 900}
    body["client_id"] = settings().user_pool_client_id
    return jwt.encode(body | claims, SIGNING_KEY, algorithm="RS256", headers={"kid": KEY_ID})


def authorizer_event(
    headers: Mapping[str, list[str]], resource: str = PROPERTIES, county_id: str = COUNTY, **path: str
) -> dict[str, Any]:
    """A REQUEST authorizer's event of a GET."""
    parameters = {"county_id": county_id, **path}
    return {
        "type": "REQUEST",
        "methodArn": f"{ARN}/GET{resource.format(**parameters)}",
        "resource": resource,
        "path": resource.format(**parameters),
        "httpMethod": "GET",
        "headers": {name: values[-1] for name, values in headers.items()},
        "multiValueHeaders": dict(headers),
        "queryStringParameters": {},
        "pathParameters": parameters,
        "requestContext": {"requestId": "request-1"},
    }


def authorized(headers: Mapping[str, list[str]], resource: str = PROPERTIES, **path: str) -> dict[str, Any]:
    """The authorizer's answer. Raises UnauthorizedError."""
    answer: dict[str, Any] = authorizer(authorizer_event(headers, resource, **path), LambdaContext())
    return answer


def status(headers: Mapping[str, list[str]], resource: str = PROPERTIES, **path: str) -> int:
    """What the gateway makes of these headers: 200 (the function's turn), 401 or 403."""
    try:
        (statement,) = authorized(headers, resource, **path)["policyDocument"]["Statement"]
    except UnauthorizedError:
        return 401
    return 200 if statement["Effect"] == "Allow" else 403
