"""Answers about the platform."""

from typing import Literal

from shared.schemas import Schema


class Health(Schema):
    """The platform is up when it answers; `database` says whether its database does."""

    status: Literal["ok", "degraded"]
    database: Literal["ok", "unreachable"]
    version: str
