"""The common ground of request, response and event models."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, StringConstraints
from pydantic_core import CoreSchema

from shared.exact import make_exact

CountyId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", min_length=3, max_length=40)]
"""A county's id: lower case words joined by underscores, the state last: `king_wa`."""


class Schema(BaseModel):
    """An immutable model that refuses fields it does not know."""

    # A cold start builds none of a module's schemas, a request only those of its own route.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class RequestSchema(Schema):
    """A model of what callers send: numbers, booleans and days are taken in one form only."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        model: Any = handler.resolve_ref_schema(schema)
        while model["type"] != "model":  # validators of the whole model stand around it
            model = model["schema"]
        make_exact(model["schema"])
        return schema
