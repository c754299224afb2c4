"""The data stack: database, migrated at each deployment, bucket with its catalogue, and event bus."""

from typing import Any

from aws_cdk import ArnFormat, CfnOutput, Stack
from aws_cdk.aws_ec2 import Port
from aws_cdk.aws_events import EventBus
from aws_cdk.aws_iam import PolicyStatement
from constructs import Construct

from infra.constructs.catalog import Catalog
from infra.constructs.data_bucket import DataBucket
from infra.constructs.database import Database
from infra.constructs.migrations import Migrations
from infra.constructs.platform import Platform
from infra.functions import FunctionSpec, Grant


class DataStack(Stack):
    """Data and schema. Later stacks depend on it, so that no code meets a schema older than itself."""

    def __init__(
        self, scope: Construct, construct_id: str, platform: Platform, migrations: FunctionSpec, **kwargs: Any
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        if platform.placement is None:
            raise LookupError("the data stack comes after the network stack")
        self.database = Database(self, "Database", platform.settings, platform.placement.vpc)
        self.database.cluster.connections.allow_from(
            platform.placement.security_group, Port.tcp(5432), "Functions to the database"
        )
        self.bucket = DataBucket(self, "Data", platform.settings.raw_retention_days)
        Catalog(self, "Catalog", platform.settings, self.bucket.bucket)
        self.bus = EventBus(self, "Events", event_bus_name=platform.settings.physical_name("events"))
        self._offer(platform)
        self.functions = [Migrations(self, "Schema", migrations, platform, self.database).function]
        CfnOutput(self, "DataBucket", value=self.bucket.bucket.bucket_name)

    def _offer(self, platform: Platform) -> None:
        secret, owner = self.database.application_secret, self.database.owner_secret
        bucket = self.bucket.bucket
        platform.offer(Grant.DATABASE, environment={"DATABASE_SECRET_ARN": secret.secret_arn}, allow=secret.grant_read)
        platform.offer(
            Grant.DATABASE_OWNER, environment={"DATABASE_OWNER_SECRET_ARN": owner.secret_arn}, allow=owner.grant_read
        )
        counties = "counties/*"
        environment = {"DATA_BUCKET": bucket.bucket_name}
        platform.offer(Grant.READ_DATA, environment=environment, allow=lambda role: bucket.grant_read(role, counties))
        platform.offer(
            Grant.WRITE_DATA,
            environment=environment,
            allow=lambda role: (
                bucket.grant_put(role, counties),
                # not the bucket's grant_delete, which reaches the former versions, that a mistake is undone from
                role.add_to_principal_policy(
                    PolicyStatement(actions=["s3:DeleteObject"], resources=[bucket.arn_for_objects(counties)])
                ),
            ),
        )
        platform.offer(
            Grant.PUBLISH_EVENTS,
            environment={"EVENT_BUS_NAME": self.bus.event_bus_name},
            allow=self.bus.grant_put_events_to,
        )
        networks = ",".join(platform.settings.source_networks)
        platform.offer(
            Grant.SOURCE_SECRETS,
            environment={"SOURCE_NETWORKS": networks} if networks else {},
            allow=lambda role: role.add_to_principal_policy(
                PolicyStatement(
                    actions=["secretsmanager:GetSecretValue"],
                    resources=[
                        self.format_arn(
                            service="secretsmanager",
                            resource="secret",
                            resource_name="terrafusion/*",
                            arn_format=ArnFormat.COLON_RESOURCE_NAME,
                        )
                    ],
                )
            ),
        )
