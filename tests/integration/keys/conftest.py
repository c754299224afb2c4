"""A user pool by moto, a database with two counties, and the gateway's authorizer in this process."""

from collections.abc import Iterator

import pytest

from functions.keys.service import authorization
from functions.keys.service.presented_keys import PresentedKeys
from tests.conftest import MigratedDatabase
from tests.integration.keys.world import Clock, World, world


@pytest.fixture
def keys(database: MigratedDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Somebody (an Assessor of king_wa and lucas_oh), and a clock that the authorizer's memory goes by."""
    clock = Clock()
    monkeypatch.setattr(authorization, "_presented_keys", PresentedKeys(clock))
    with world(monkeypatch, clock) as made:
        yield made
