"""The first rows of a geographic file, made by the function that has GDAL."""

from __future__ import annotations

from typing import Any

import orjson

from shared.aws import client
from shared.problems import ServiceUnavailable, SourceRefused, Unprocessable
from shared.settings import settings


def sample_key(county_id: str, table: str, rows: int) -> str:
    """The key of an object with the first rows of a table, once the function has made it.

    Raises Unprocessable for a file that is refusal, SourceRefused, ServiceUnavailable where there is no answer.
    """
    import botocore.exceptions

    event = orjson.dumps({"county_id": county_id, "table": table, "rows": rows})
    try:
        answer = client("lambda").invoke(FunctionName=settings().convert_function_name, Payload=event)
        said = orjson.loads(answer["Payload"].read())
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        raise _unanswered(table, type(error).__name__) from error
    if "FunctionError" in answer or not isinstance(said, dict):
        raise _unanswered(table, str(said.get("errorType")) if isinstance(said, dict) else "")
    if "refused" in said:
        raise _refusal(said["refused"])
    return str(said["key"])


def _refusal(refusal: dict[str, Any]) -> Exception:
    kind = SourceRefused if refusal["status"] == SourceRefused.status else Unprocessable
    return kind(refusal["detail"], slug=refusal["slug"])


def _unanswered(table: str, why: str) -> ServiceUnavailable:
    return ServiceUnavailable(
        f"The file of {table} could not be looked into just now ({why or 'no answer'}); try again, or start a sync with"
        " validate_only.",
        slug="sample-unavailable",
    )
