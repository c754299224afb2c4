"""Samples of geographic files, converted by the function that has GDAL."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson

from shared.aws import client
from shared.observability.correlation import FIELD, correlation_id
from shared.problems import ServiceUnavailable, SourceRefused, Unprocessable
from shared.settings import settings


def sample_key(county_id: str, table: str, rows: int, upload_id: UUID | None = None) -> str:
    """Have the first rows of a table of the county's files, or of an upload, converted; the key of their object.

    Raises Unprocessable for a file that is refusal, SourceRefused, ServiceUnavailable where there is no answer.
    """
    import botocore.exceptions

    of_upload = {} if upload_id is None else {"upload_id": str(upload_id)}
    event = orjson.dumps({"county_id": county_id, "table": table, "rows": rows, FIELD: correlation_id(), **of_upload})
    try:
        answer = client("lambda").invoke(FunctionName=settings().convert_function_name, Payload=event)
        result = orjson.loads(answer["Payload"].read())
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        raise _unanswered(table, type(error).__name__) from error
    if "FunctionError" in answer or not isinstance(result, dict):
        raise _unanswered(table, str(result.get("errorType")) if isinstance(result, dict) else "")
    if "refused" in result:
        raise _refusal(result["refused"])
    return str(result["key"])


def _refusal(refusal: dict[str, Any]) -> Exception:
    kind = SourceRefused if refusal["source_refused"] else Unprocessable
    return kind(refusal["detail"], slug=refusal["slug"])


def _unanswered(table: str, why: str) -> ServiceUnavailable:
    return ServiceUnavailable(
        f"The file of {table} could not be looked into just now ({why or 'no answer'}); try again, or start a sync with"
        " validate_only.",
        slug="sample-unavailable",
    )
