"""A deployed stage as its operator's credentials reach it: clients of AWS, and the names of its resources."""

from functools import cache
from typing import Any

import typer
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from infra.cli.errors import CommandError
from infra.physical_names import physical_name

StageName = typer.Argument(metavar="STAGE", help="The stage's name: dev or prod.")


class DeployedStage:
    """One stage of the account and region that the caller's credentials name (`AWS_PROFILE`, `AWS_REGION`)."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.client = cache(self._client)

    def _client(self, service: Any) -> Any:
        import boto3

        session = boto3.Session()
        if session.region_name is None:
            raise CommandError("no region is named: set AWS_REGION, or a profile with one (AWS_PROFILE)")
        return session.client(service)

    def physical_name(self, name: str) -> str:
        """The name of a resource in the account, as the stacks give it."""
        return physical_name(self.name, name)

    def account(self) -> str:
        """The account's id. Raises CommandError where nobody is signed in to AWS."""
        try:
            return str(self.client("sts").get_caller_identity()["Account"])
        except NoCredentialsError:
            raise CommandError("nobody is signed in to AWS: set AWS_PROFILE, or run aws sso login") from None
        except (BotoCoreError, ClientError) as error:
            raise CommandError(f"AWS refuses the credentials: {error}") from None
