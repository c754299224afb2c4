"""Reasons why the local cloud cannot start, each a sentence for the person who started it."""


class LocalCloudError(RuntimeError):
    """The local cloud cannot start or go on; the message says why, and what to do."""
