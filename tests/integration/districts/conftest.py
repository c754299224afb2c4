"""A county, and AWS, around the tests of districts."""

import pytest

from tests.conftest import MigratedDatabase
from tests.district_county import add_county_with_timezone
from tests.job_cloud import job_cloud

__all__ = ["job_cloud"]


@pytest.fixture
def county(database: MigratedDatabase, job_cloud: None) -> None:
    """A county that is onboarded, with nothing in it."""
    add_county_with_timezone()
