"""Events of the platform on its bus, for whoever subscribes to them.

`infra/events.json` describes them as JSON Schema (`python -m infra.event_schemas`). An event gains members within its
`version`; where one is taken away or means something else, the version is the next.
"""

from typing import ClassVar, Literal

from shared.aws import client, outage
from shared.schemas import Schema
from shared.settings import settings


class Event(Schema):
    """The detail of an event; its detail type is the name of its class."""

    SOURCE: ClassVar[str]
    """The event's source: `terrafusion.` and the module."""

    version: Literal[1] = 1


def publish(event: Event) -> None:
    """Put an event on the bus.

    Raises ServiceUnavailable also where the bus answers and does not take the event, which boto3 raises nothing for.
    """
    entry = {
        "Source": event.SOURCE,
        "DetailType": type(event).__name__,
        "Detail": event.model_dump_json(),
        "EventBusName": settings().event_bus_name or "default",
    }
    answer = client("events").put_events(Entries=[entry])  # type: ignore[list-item]  # a TypedDict of these members
    if answer["FailedEntryCount"]:
        raise outage("events")
