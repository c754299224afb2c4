"""Routes of access keys."""

from typing import Annotated, Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.keys.schemas import AccessKey, KeyRequest, NewAccessKey
from functions.keys.service import access_keys
from shared.access import Permission
from shared.api import Api, answer, no_content
from shared.api.paging import PageSize
from shared.paging import Page

api = Api("keys")
handler = api.handler


@api.post("/v1/keys", permission=Permission.SIGN_IN, summary="Make an access key", status=201)
def make_key(body: KeyRequest) -> Response[NewAccessKey]:
    """A key for a tool that cannot renew a token. Its secret is in this answer and nowhere else."""
    return answer(access_keys.make(body, caller=api.caller, idempotency_key=api.idempotency_key), 201)


@api.get("/v1/keys", permission=Permission.SIGN_IN, summary="Access keys")
def list_keys(
    page_size: PageSize = 100, page_token: Annotated[str | None, Query()] = None
) -> Response[Page[AccessKey]]:
    """Your own keys and, where you manage users, those of your counties; the newest first."""
    return answer(access_keys.list_keys(api.caller, page_size=page_size, page_token=page_token))


@api.delete("/v1/keys/{key_id}", permission=Permission.SIGN_IN, summary="Revoke an access key")
def revoke_key(key_id: UUID) -> Response[Any]:
    """Your own key, or in a county whose users you manage anybody's. It opens nothing more after a minute."""
    access_keys.revoke(key_id, api.caller)
    return no_content()
