"""Events of the platform on its bus, for whoever subscribes to them."""

from collections.abc import Mapping
from typing import Any

import orjson

from shared.aws import client, outage
from shared.settings import settings


def publish(source: str, detail_type: str, detail: Mapping[str, Any]) -> None:
    """Put an event on the bus.

    Raises ServiceUnavailable also where the bus answers and does not take the event, which boto3 raises nothing for.
    """
    entry = {
        "Source": source,
        "DetailType": detail_type,
        "Detail": orjson.dumps(detail).decode(),
        "EventBusName": settings().event_bus_name or "default",
    }
    answer = client("events").put_events(Entries=[entry])  # type: ignore[list-item]  # a TypedDict of these members
    if answer["FailedEntryCount"]:
        raise outage("events")
