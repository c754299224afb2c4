"""The model that several files look at."""

import pytest

from shared.appraisal.avm.model import TrainedModel
from tests.unit.appraisal.known_counties import large_model


@pytest.fixture
def model() -> TrainedModel:
    """A model of a thousand sales, trained once."""
    return large_model()
