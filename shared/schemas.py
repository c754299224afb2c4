"""The common ground of request, response and event models."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

CountyId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", min_length=3, max_length=40)]
"""A county's id: lower case words joined by underscores, the state last: `king_wa`."""


class Schema(BaseModel):
    """An immutable model that refuses fields it does not know."""

    # A cold start builds none of a module's schemas, a request only those of its own route.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)
