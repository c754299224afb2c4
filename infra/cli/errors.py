"""Errors that end a command, each a sentence for the person at the keyboard."""


class CommandError(RuntimeError):
    """A command that ends with exit code 1; the message says why, and what to do."""
