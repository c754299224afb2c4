"""Fixtures: a county whose own system has a roll, values approved to it, and the jobs machine."""

import pytest

from shared.settings import settings
from tests.aws import make_machine
from tests.integration.sync.conftest import cloud as cloud
from tests.integration.sync.conftest import county as county
from tests.integration.sync.conftest import small_partitions as small_partitions
from tests.integration.sync.county import County
from tests.integration.write_back.written_county import MAPPING, fill_roll


@pytest.fixture
def with_roll(county: County, monkeypatch: pytest.MonkeyPatch) -> County:
    """The county with a roll of 2015 in its own system, synced."""
    make_machine(monkeypatch, "jobs")
    settings.cache_clear()
    fill_roll(county)
    county.set_mapping(MAPPING)
    county.sync()
    return county
