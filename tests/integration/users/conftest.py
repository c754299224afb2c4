"""A user pool by moto, and a database with two counties."""

from collections.abc import Iterator

import pytest

from infra.local.aws.identity import logged_invitations
from tests.conftest import MigratedDatabase
from tests.integration.keys.world import Clock, World, world


@pytest.fixture
def users(database: MigratedDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Somebody (an Assessor of king_wa and lucas_oh), in a pool that invites as the local cloud's does."""
    from moto.cognitoidp import models

    monkeypatch.setattr(models.CognitoIdpBackend, "admin_create_user", logged_invitations())
    with world(monkeypatch, Clock()) as made:
        yield made
