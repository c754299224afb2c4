"""boto3 clients of the local endpoint."""

from typing import Any

import boto3
from botocore.config import Config

from infra.local.cloud_assembly import REGION

ACCESS_KEY = "local"
SECRET_KEY = "local"  # noqa: S105  # moto checks none


def new_client(service: str, endpoint: str, config: Config | None = None) -> Any:
    """A client of `service` at `endpoint`."""
    session: Any = boto3.session.Session()
    return session.client(
        service,
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        config=config or Config(signature_version="s3v4" if service == "s3" else None),
    )


class Clients:
    """Clients of one endpoint, made when they are first asked for."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._made: dict[str, Any] = {}

    def __call__(self, service: str) -> Any:
        """The client of `service`."""
        if service not in self._made:
            self._made[service] = new_client(service, self._endpoint)
        return self._made[service]
