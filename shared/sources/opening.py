"""Open a county's source from its configuration and its secret."""

from functools import partial
from typing import TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from shared.aws import client
from shared.counties.configuration import CountyConfiguration
from shared.counties.source_description import (
    SECRET_PREFIX,
    ArcGisDescription,
    FilesDescription,
    SocrataDescription,
    SourceDescription,
    SqlDescription,
)
from shared.problems import SourceRefused
from shared.settings import settings
from shared.sources.network import Timeouts, run_timeouts
from shared.sources.secrets import AppTokenSecret, ConnectionSecret, TokenSecret
from shared.sources.source import Source

Secret = TypeVar("Secret", bound=BaseModel)


def open_source(configuration: CountyConfiguration, timeouts: Timeouts | None = None) -> Source:
    """Open the source that a county's configuration describes, by default with the timeouts of a run.

    The drivers of a kind of source are imported when one is opened. Raises SourceUnavailable; no message has a secret.
    """
    description = configuration.data_ingestion_settings.source_description
    return open_described(configuration.county_id, description, configuration.timezone, timeouts)


def open_described(
    county_id: str, description: SourceDescription, timezone: str, timeouts: Timeouts | None = None
) -> Source:
    """Open a source of a county by its description. Raises as `open_source`."""
    timeouts = timeouts or run_timeouts()
    match description:
        case SqlDescription(secret_name=name):
            from shared.sources.sql import SqlSource, source_url

            secret = _secret(name, ConnectionSecret)
            return SqlSource(source_url(secret), secret.ca_certificate, timezone=timezone, timeouts=timeouts)
        case FilesDescription() as files:
            from shared.sources.files.geographic.sampling import sample_key
            from shared.sources.files.source import FilesSource

            return FilesSource(county_id, files, partial(sample_key, county_id))
        case ArcGisDescription() as service:
            from shared.sources.web.arcgis import ArcGisSource

            token = _secret(service.secret_name, TokenSecret).token if service.secret_name else None
            return ArcGisSource(service.url, service.layers, token, timeouts=timeouts)
        case SocrataDescription() as site:
            from shared.sources.web.socrata import SocrataSource

            token = _secret(site.secret_name, AppTokenSecret).app_token if site.secret_name else None
            return SocrataSource(f"https://{site.domain}", site.datasets, token, timeouts=timeouts)


def _secret(named: str, model: type[Secret]) -> Secret:
    """The secret that a configuration names, read below the prefix of this stage."""
    secrets = client("secretsmanager")
    name = settings().source_secret_prefix + named.removeprefix(SECRET_PREFIX)
    try:
        text = secrets.get_secret_value(SecretId=name)["SecretString"]
    except (secrets.exceptions.ResourceNotFoundException, KeyError):
        raise SourceRefused(f"There is no secret {name}.", slug="source-secret-missing") from None
    try:
        return model.model_validate(orjson.loads(text))
    except (ValidationError, orjson.JSONDecodeError) as error:
        faults = error.errors() if isinstance(error, ValidationError) else []
        fields = ", ".join(str(fault["loc"][0]) for fault in faults if fault["loc"]) or "it is not JSON"
        raise SourceRefused(
            f"The secret {name} does not say how to connect: {fields}.", slug="source-secret-invalid"
        ) from None
