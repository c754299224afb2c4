"""S3 for geographic files, as for other sources that are files."""

from tests.unit.sources.conftest import bucket  # noqa: F401 - a fixture
