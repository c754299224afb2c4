"""Routes of webhooks."""

from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.webhooks.schemas import Delivery, DeliveryStatus, Webhook, WebhookPatch, WebhookRequest
from functions.webhooks.service import registration
from shared.access import Permission
from shared.api import Api, answer
from shared.api.answers import no_content
from shared.api.paging import PageSize
from shared.paging import Page

api = Api("webhooks")
handler = api.handler

_ALL = "/v1/counties/{county_id}/webhooks"
_ONE = _ALL + "/{webhook_id}"
_DELIVERIES = _ONE + "/deliveries"


@api.post(_ALL, permission=Permission.MANAGE_COUNTY, summary="Register a webhook", status=201)
def register_webhook(county_id: str, body: WebhookRequest) -> Response[Webhook]:
    """An HTTPS address that is told of the ends of jobs, by the Standard Webhooks specification. This answer alone has
    the secret by which messages are verified.
    """
    webhook = registration.register(county_id, body, caller=api.caller, idempotency_key=api.idempotency_key)
    location = f"/v1/counties/{county_id}/webhooks/{webhook.webhook_id}"
    return answer(webhook, 201, version=webhook.version, location=location)


@api.get(_ALL, permission=Permission.MANAGE_COUNTY, summary="The county's webhooks")
def list_webhooks(county_id: str) -> Response[list[Webhook]]:
    """All of them, the oldest first."""
    return answer(registration.all_webhooks(county_id))


@api.get(_ONE, permission=Permission.MANAGE_COUNTY, summary="One webhook")
def get_webhook(county_id: str, webhook_id: UUID) -> Response[Webhook]:
    """Where it leads to, and whether it works."""
    webhook = registration.one_webhook(county_id, webhook_id)
    return answer(webhook, version=webhook.version)


@api.patch(_ONE, permission=Permission.MANAGE_COUNTY, summary="Change a webhook")
def change_webhook(county_id: str, webhook_id: UUID, body: WebhookPatch) -> Response[Webhook]:
    """Change its address or its events, stop or start it, or make a new secret, which this answer alone has."""
    webhook = registration.change(
        county_id, webhook_id, body, expected_version=api.required_version(), caller=api.caller
    )
    return answer(webhook, version=webhook.version)


@api.delete(_ONE, permission=Permission.MANAGE_COUNTY, summary="Delete a webhook")
def delete_webhook(county_id: str, webhook_id: UUID) -> Response[None]:
    """With its deliveries; what was not delivered is not delivered any more."""
    registration.remove(county_id, webhook_id, caller=api.caller)
    return no_content()


@api.post(_ONE + "/test", permission=Permission.MANAGE_COUNTY, summary="Test a webhook", status=202)
def test_webhook(county_id: str, webhook_id: UUID) -> Response[Delivery]:
    """Send a message of the type `webhook.test`; the list of deliveries says how it went."""
    delivery = registration.test(county_id, webhook_id, caller=api.caller, idempotency_key=api.idempotency_key)
    return answer(delivery, 202)


@api.get(_DELIVERIES, permission=Permission.MANAGE_COUNTY, summary="A webhook's deliveries")
def list_deliveries(
    county_id: str,
    webhook_id: UUID,
    status: Annotated[DeliveryStatus | None, Query()] = None,
    page_size: PageSize = 50,
    page_token: Annotated[str | None, Query()] = None,
) -> Response[Page[Delivery]]:
    """The newest first: attempts, and how the last one ended."""
    page = registration.deliveries(county_id, webhook_id, status=status, page_size=page_size, page_token=page_token)
    return answer(page)


@api.post(
    _DELIVERIES + "/{delivery_id}/replay",
    permission=Permission.MANAGE_COUNTY,
    summary="Deliver a message again",
    status=202,
)
def replay_delivery(county_id: str, webhook_id: UUID, delivery_id: UUID) -> Response[Delivery]:
    """Its id stays the same, so that a receiver knows it."""
    return answer(registration.replay(county_id, webhook_id, delivery_id, caller=api.caller), 202)
