"""The common ground of request, response and event models."""

from decimal import Decimal
from typing import Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, StringConstraints
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from shared.exact import make_exact

CountyId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", min_length=3, max_length=40)]
"""A county's id: lower case words joined by underscores, the state last: `king_wa`."""


class Schema(BaseModel):
    """An immutable model that refuses fields it does not know."""

    # A cold start builds none of a module's schemas, a request only those of its own route.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The JSON Schema; the texts of decimals have the format `decimal` of OpenAPI's registry of formats."""
        described = handler(schema)
        properties = handler.resolve_ref_schema(described).get("properties", {})
        for name, field in cls.model_fields.items():
            types = _types(field.annotation)
            if Decimal in types and str not in types:
                _mark_decimals(properties.get(field.alias or name))
        return described


def _types(annotation: Any) -> set[Any]:
    parts = get_args(annotation)
    return set().union(*(_types(part) for part in parts)) if parts else {annotation}


def _mark_decimals(schema: Any) -> None:
    """Give the format `decimal` to the texts that a property may be or hold."""
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "string" and not schema.keys() & {"format", "enum", "const"}:
        schema["format"] = "decimal"
    for part in (*schema.get("anyOf", ()), schema.get("items"), schema.get("additionalProperties")):
        _mark_decimals(part)


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
