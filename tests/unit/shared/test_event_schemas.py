"""The events of the bus are described as they are published."""

import ast
import json

import pytest

from infra.event_schemas import DOCUMENT, event_types, rendered
from infra.settings import ROOT
from shared.events import Event


def test_the_described_events_are_up_to_date() -> None:
    assert DOCUMENT.read_text() == rendered(), "run python -m infra.event_schemas"


def test_every_event_that_is_published_is_described() -> None:
    published = {
        call.args[0].func.id if isinstance(call.args[0], ast.Call) and isinstance(call.args[0].func, ast.Name) else None
        for path in (ROOT / "functions").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "events.publish"
    }
    assert published == {event.__name__ for event in event_types()}, "an event is made in the call that publishes it"


@pytest.mark.parametrize("event", event_types())
def test_an_event_names_its_source_its_version_and_its_county(event: type[Event]) -> None:
    described = json.loads(DOCUMENT.read_text())[event.__name__]
    assert described["source"].startswith("terrafusion.")
    assert described["detail"]["properties"]["version"]["const"] == described["version"]
    assert "county_id" in described["detail"]["required"]
