"""The data stack: database, migrated at each deployment, bucket with its catalogue, and event bus."""

from collections.abc import Callable
from typing import Any

from aws_cdk import ArnFormat, CfnOutput, CrossStackReferences, ReferenceStrength, Stack
from aws_cdk.aws_backup import BackupResource
from aws_cdk.aws_ec2 import Port
from aws_cdk.aws_events import EventBus
from aws_cdk.aws_iam import IRole, PolicyStatement
from aws_cdk.aws_secretsmanager import ISecret
from constructs import Construct

from infra.constructs.backups import Backups
from infra.constructs.catalog import Catalog
from infra.constructs.data_bucket import DataBucket
from infra.constructs.database import Database
from infra.constructs.migrations import Migrations
from infra.constructs.platform import Platform
from infra.function_specs import FunctionSpec, Grant


class DataStack(Stack):
    """Data and schema. Later stacks depend on it, so that no code meets a schema older than itself."""

    def __init__(
        self, scope: Construct, construct_id: str, platform: Platform, migrations: FunctionSpec, **kwargs: Any
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        if platform.placement is None:
            raise LookupError("the data stack comes after the network stack")
        self.database = Database(self, "Database", platform.settings, platform.placement)
        self.database.cluster.connections.allow_from(
            platform.placement.security_group, Port.tcp(5432), "Functions to the database"
        )
        self.bucket = DataBucket(self, "Data", platform.settings.raw_retention_days)
        Catalog(self, "Catalog", platform.settings, self.bucket.bucket)
        self.bus = EventBus(self, "Events", event_bus_name=platform.settings.physical_name("events"))
        # CloudFormation refuses to replace these as long as a function of another stack has their name.
        for fixed in (self.database.cluster, self.database.application_secret, self.bucket.bucket, self.bus):
            CrossStackReferences.of(fixed).produce(ReferenceStrength.STRONG)
        if platform.settings.backup_vault_arn:
            resources = [
                BackupResource.from_rds_database_cluster(self.database.cluster),
                BackupResource.from_arn(self.bucket.bucket.bucket_arn),
            ]
            Backups(self, "Backups", platform.settings, resources)
        self._offer(platform)
        self.functions = [Migrations(self, "Schema", migrations, platform, self.database).function]
        CfnOutput(self, "DataBucket", value=self.bucket.bucket.bucket_name)

    def _offer(self, platform: Platform) -> None:
        secret, owner = self.database.application_secret, self.database.owner_secret
        bucket = self.bucket.bucket
        platform.offer(Grant.DATABASE, environment={"DATABASE_SECRET_ARN": secret.secret_arn}, allow=_reading(secret))
        platform.offer(
            Grant.DATABASE_OWNER, environment={"DATABASE_OWNER_SECRET_ARN": owner.secret_arn}, allow=_reading(owner)
        )
        counties = "counties/*"
        environment = {"DATA_BUCKET": bucket.bucket_name}
        objects = bucket.arn_for_objects(counties)
        wildcards = {"…/counties/*": "Objects are named when they are written, each below its county's prefix."}
        platform.offer(
            Grant.READ_DATA,
            environment=environment,
            allow=lambda role: (
                _allow(role, "s3:GetObject", resource=objects),
                # without it an object that is missing is a 403 instead of a 404
                _allow(role, "s3:ListBucket", resource=bucket.bucket_arn),
            ),
            wildcards=wildcards,
        )
        platform.offer(
            Grant.WRITE_DATA,
            environment=environment,
            # s3:DeleteObject does not reach former versions, from which a mistake is undone
            allow=lambda role: _allow(
                role,
                *("s3:PutObject", "s3:PutObjectTagging", "s3:AbortMultipartUpload", "s3:DeleteObject"),
                resource=objects,
            ),
            wildcards=wildcards,
        )
        platform.offer(
            Grant.PUBLISH_EVENTS,
            environment={"EVENT_BUS_NAME": self.bus.event_bus_name},
            allow=self.bus.grant_put_events_to,
        )
        networks = ",".join(platform.settings.source_networks)
        platform.offer(
            Grant.SOURCE_SECRETS,
            environment={"SOURCE_SECRET_PREFIX": platform.settings.source_secret_prefix}
            | ({"SOURCE_NETWORKS": networks} if networks else {}),
            wildcards={
                "arn:<AWS::Partition>:secretsmanager:…/*": "Counties name their secrets, below a prefix of their own."
            },
            allow=lambda role: role.add_to_principal_policy(
                PolicyStatement(
                    actions=["secretsmanager:GetSecretValue"],
                    resources=[
                        self.format_arn(
                            service="secretsmanager",
                            resource="secret",
                            resource_name=f"{platform.settings.source_secret_prefix}*",
                            arn_format=ArnFormat.COLON_RESOURCE_NAME,
                        )
                    ],
                )
            ),
        )


def _reading(secret: ISecret) -> Callable[[IRole], object]:
    """Permission to read a secret's value; `grant_read` would add its description, which nothing asks for."""
    return lambda role: _allow(role, "secretsmanager:GetSecretValue", resource=secret.secret_arn)


def _allow(role: IRole, *actions: str, resource: str) -> object:
    return role.add_to_principal_policy(PolicyStatement(actions=list(actions), resources=[resource]))
