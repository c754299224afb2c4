"""Messages for pydantic's errors: its own speak of strings, inputs and its type names."""

from collections.abc import Mapping
from typing import Any

_MESSAGES = {
    **dict.fromkeys(("dict_type", "mapping_type", "model_type", "model_attributes_type"), "it has to be an object"),
    **dict.fromkeys(("list_type", "tuple_type", "set_type", "frozen_set_type"), "it has to be a list"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "it has to be a whole number"),
    **dict.fromkeys(("int_parsing_size", "finite_number", "decimal_not_finite"), "it is too large a number"),
    **dict.fromkeys(("float_type", "float_parsing", "decimal_type", "decimal_parsing"), "it has to be a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "it has to be true or false"),
    **dict.fromkeys(("uuid_type", "uuid_parsing", "uuid_version"), "it has to be a UUID"),
    **dict.fromkeys(
        ("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"),
        "it has to be a date, like 2026-11-30",
    ),
    **dict.fromkeys(
        ("datetime_type", "datetime_parsing", "datetime_from_date_parsing", "timezone_aware"),
        "it has to be a time with its offset, like 2026-11-30T12:00:00Z",
    ),
    **dict.fromkeys(("literal_error", "enum"), "it has to be one of: {expected}"),
    "missing": "this is missing",
    "extra_forbidden": "this field is not known",
    "none_required": "it has to be null",
    "string_type": "it has to be a text",
    "string_too_short": "it has to have at least {min_length} character(s)",
    "string_too_long": "it has to have at most {max_length} character(s)",
    "string_pattern_mismatch": "it does not have the form that it has to have ({pattern})",
    "too_short": "there have to be at least {min_length}, and there are {actual_length}",
    "too_long": "there may be at most {max_length}",
    "greater_than": "it has to be above {gt}",
    "greater_than_equal": "it has to be {ge} or more",
    "less_than": "it has to be below {lt}",
    "less_than_equal": "it has to be {le} or less",
    "multiple_of": "it has to be a multiple of {multiple_of}",
    "decimal_max_places": "it has to have {decimal_places} decimals at most",
    "decimal_max_digits": "it has to have {max_digits} digits at most",
    "decimal_whole_digits": "it has to have {whole_digits} digits before the point at most",
    "union_tag_invalid": "there is no {discriminator} {tag!r}; there are: {expected_tags}",
    "union_tag_not_found": "it has to say its {discriminator}",
    "value_error": "{error}",
    "assertion_error": "{error}",
}


def error_text(error: Mapping[str, Any]) -> str:
    """The message of one of pydantic's errors."""
    context = dict(error.get("ctx") or {})
    for name in ("expected", "discriminator", "expected_tags"):
        if name in context:
            context[name] = str(context[name]).replace("'", "").replace(" or ", ", ")
    message = _MESSAGES.get(error["type"])
    if message is None:
        return str(error["msg"]).replace("Input should be", "it has to be").replace("a valid ", "a ")
    try:
        return message.format(**context)
    except (KeyError, IndexError):
        return str(error["msg"]).partition(", ")[2] or "it is not valid"
