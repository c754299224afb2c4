"""The platform of the tests from outside, for those of the long half."""

from tests.e2e.conftest import platform

__all__ = ["platform"]
