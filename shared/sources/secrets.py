"""Contents of sources' secrets: address and credentials. No repr shows a credential."""

from pydantic import BaseModel, ConfigDict, Field


class _Secret(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class ConnectionSecret(_Secret):
    """The secret of a SQL source; without `port` the dialect's default.

    The connection is encrypted and the server's certificate verified, with `ca_certificate` (PEM) where a county has
    its own certificate authority. `sslmode` "disable" is for a server on the same machine, or behind a tunnel."""

    dialect: str = "postgresql"
    host: str
    port: int | None = None
    dbname: str
    username: str
    password: str = Field(repr=False)
    sslmode: str | None = None
    ca_certificate: str | None = Field(default=None, repr=False)


class TokenSecret(_Secret):
    """The secret of an ArcGIS service."""

    token: str = Field(repr=False)


class AppTokenSecret(_Secret):
    """The secret of a Socrata site."""

    app_token: str = Field(repr=False)
