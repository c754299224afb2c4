"""The authorizers of the API, by the credentials that open a route."""

from functools import cached_property

from aws_cdk import Duration
from aws_cdk.aws_apigateway import CognitoUserPoolsAuthorizer, IAuthorizer, IdentitySource, RequestAuthorizer
from aws_cdk.aws_cognito import IUserPool
from constructs import Construct

from infra.constructs.service_function import ServiceFunction
from shared.access import Access

AUTHORIZER_CACHE_S = 30
"""Seconds for which the gateway keeps what the authorizer has decided about a header and a route. With the authorizer's
own memory of keys (`REMEMBERED_S` in `functions.keys`, 30 too) a revoked key opens nothing more after a minute."""


class Authorizers(Construct):
    """Cognito's own for access tokens alone, and a function of ours for what keys open too.

    The function's answers are kept by header and route, so that each policy is of one route.
    """

    def __init__(self, scope: Construct, construct_id: str, user_pool: IUserPool, asked: ServiceFunction) -> None:
        super().__init__(scope, construct_id)
        self._user_pool = user_pool
        self._asked = asked

    def of(self, access: Access) -> IAuthorizer:
        """The authorizer of routes of this access. Raises KeyError for routes that need none."""
        match access:
            case Access.TOKEN:
                return self._token
            case Access.KEY:
                return self._key
            case Access.OPEN:
                return self._open
        raise KeyError(access)

    # made where a route needs it: the CDK refuses an authorizer without one

    @cached_property
    def _token(self) -> IAuthorizer:
        return CognitoUserPoolsAuthorizer(
            self, "Token", cognito_user_pools=[self._user_pool], results_cache_ttl=Duration.minutes(5)
        )

    @cached_property
    def _key(self) -> IAuthorizer:
        return RequestAuthorizer(
            self,
            "Key",
            handler=self._asked.alias,
            identity_sources=[IdentitySource.header("Authorization"), IdentitySource.context("resourcePath")],
            results_cache_ttl=Duration.seconds(AUTHORIZER_CACHE_S),
        )

    @cached_property
    def _open(self) -> IAuthorizer:
        """Called without the header too. The gateway demands every identity source of an authorizer whose answers it
        keeps, so it keeps none of these.
        """
        return RequestAuthorizer(
            self, "Open", handler=self._asked.alias, identity_sources=[], results_cache_ttl=Duration.seconds(0)
        )
