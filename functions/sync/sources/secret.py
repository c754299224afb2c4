"""How to reach a source."""

from pydantic import BaseModel, ConfigDict


class ConnectionSecret(BaseModel):
    """The secret of a SQL source. `sslmode` "disable" is for a server on the same machine."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    dialect: str = "postgresql"
    host: str
    port: int | None = None
    dbname: str
    username: str
    password: str
    sslmode: str | None = None
