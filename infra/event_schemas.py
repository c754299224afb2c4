"""The events of the bus as JSON Schema, derived from the models that the modules publish.

`python -m infra.event_schemas` writes them anew; a test compares what is there.
"""

import importlib
import importlib.util
import json
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from infra.functions import REGISTRY
from infra.settings import ROOT
from shared.events import Event

DOCUMENT = ROOT / "infra" / "events.json"


def event_types() -> list[type[Event]]:
    """The events that the modules declare in their `schemas`, by name."""
    declared = {
        value.__name__: value
        for spec in REGISTRY
        for module in _schemas(f"{spec.package}.schemas")
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Event) and value is not Event
    }
    return [declared[name] for name in sorted(declared)]


def _schemas(name: str) -> Iterator[ModuleType]:
    """The module of this name and those in it, where it is a package; none where there is no such module."""
    if importlib.util.find_spec(name) is not None:
        module = importlib.import_module(name)
        yield module
        for part in pkgutil.iter_modules(getattr(module, "__path__", ())):
            yield importlib.import_module(f"{name}.{part.name}")


def document() -> dict[str, Any]:
    """Source, detail type, version and schema of each event."""
    return {
        event.__name__: {
            "source": event.SOURCE,
            "detail-type": event.__name__,
            "version": event.model_fields["version"].default,
            "detail": {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                **event.model_json_schema(mode="serialization"),
            },
        }
        for event in event_types()
    }


def rendered() -> str:
    """The document as it is kept."""
    return json.dumps(document(), indent=1) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(rendered())
