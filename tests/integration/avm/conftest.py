"""The model that several files look at, and networks that are learned in a quarter of the steps."""

from collections.abc import Iterator

import pytest

from shared.appraisal.avm import network
from shared.appraisal.avm.model import TrainedModel
from tests.integration.avm.known_counties import large_model

_STEPS, _EPOCHS = 100, 5
"""A network of few epochs: these tests hold whatever it has learned; `test_network` has one that has learned all."""


@pytest.fixture(autouse=True, scope="module")
def brief_networks(request: pytest.FixtureRequest) -> Iterator[None]:
    """Most of a training's time is the network's."""
    with pytest.MonkeyPatch.context() as patch:
        if request.path.name != "test_network.py":
            patch.setattr(network, "MIN_STEPS", _STEPS)
            patch.setattr(network, "EPOCHS", _EPOCHS)
        yield


@pytest.fixture
def model() -> TrainedModel:
    """A model of a thousand sales, trained once."""
    return large_model()
