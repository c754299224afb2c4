"""Errors of the local cloud."""


class LocalCloudError(RuntimeError):
    """The local cloud cannot start or continue; the message says why, and what to do."""
