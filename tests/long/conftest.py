"""The platform of the tests from outside, for those of the long half."""

from tests.e2e.conftest import loopback_certificate, platform

__all__ = ["loopback_certificate", "platform"]
