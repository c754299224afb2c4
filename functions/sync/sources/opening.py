"""A county's source, opened by what its secret says."""

import orjson
from pydantic import ValidationError

from functions.sync.sources.secret import ConnectionSecret
from functions.sync.sources.source import Source
from shared.aws import client
from shared.problems import SourceUnavailable


def open_source(secret_name: str) -> Source:
    """The source that the secret describes. Raises SourceUnavailable; no secret is part of a message."""
    from functions.sync.sources.sql import SqlSource, source_url

    secrets = client("secretsmanager")
    try:
        text = secrets.get_secret_value(SecretId=secret_name)["SecretString"]
    except (secrets.exceptions.ResourceNotFoundException, KeyError):
        raise SourceUnavailable(f"There is no secret {secret_name}.", slug="source-secret-missing") from None
    try:
        secret = ConnectionSecret.model_validate(orjson.loads(text))
    except (ValidationError, orjson.JSONDecodeError) as error:
        fields = (
            [str(fault["loc"][0]) for fault in error.errors() if fault["loc"]]
            if isinstance(error, ValidationError)
            else []
        )
        raise SourceUnavailable(
            f"The secret {secret_name} does not say how to connect: {', '.join(fields) or 'it is not JSON'}.",
            slug="source-secret-invalid",
        ) from None
    return SqlSource(source_url(secret))
