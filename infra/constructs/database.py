"""Aurora PostgreSQL with its two roles: the schema's owner and the application."""

import json
from typing import Any

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk.aws_ec2 import SubnetSelection, SubnetType
from aws_cdk.aws_iam import AccountPrincipal
from aws_cdk.aws_kms import Key
from aws_cdk.aws_logs import LogGroup
from aws_cdk.aws_rds import (
    AuroraPostgresEngineVersion,
    BackupProps,
    ClusterInstance,
    Credentials,
    DatabaseCluster,
    DatabaseClusterEngine,
    ParameterGroup,
)
from aws_cdk.aws_secretsmanager import HostedRotation, ISecret, Secret, SecretStringGenerator
from constructs import Construct

from infra.best_practices import accept
from infra.constructs.backups import account_of
from infra.constructs.platform import Placement
from infra.settings import StageSettings

DATABASE_NAME = "terrafusion"
OWNER = "terrafusion_owner"
APPLICATION_ROLE = "terrafusion_app"
ROTATION_INTERVAL = Duration.days(30)
"""Of the passwords: a choice, and the interval that Secrets Manager proposes."""
ENGINE_VERSION = AuroraPostgresEngineVersion.VER_18_4
"""The newest of the major version that the tests run on that the CDK's own check of the templates knows: 18.6 it does
not know yet. It changes here alone: the instances do not upgrade themselves beside it."""


_IDLE_SESSION_TIMEOUT = Duration.minutes(2)
"""A function that is frozen keeps its connection, and opens another one after a minute without use
(`shared/db/driver.py`): this ends abandoned ones alone, which would keep the cluster from pausing."""
_PAUSE_AFTER = Duration.minutes(5)
"""Of a cluster whose minimum capacity is 0: the shortest that Aurora takes, for a measurement wakes it hourly."""
_PASSWORD_RULES: dict[str, Any] = {"password_length": 40, "exclude_punctuation": True}


class Database(Construct):
    """A serverless cluster in isolated subnets; production has a standby reader that can take over."""

    def __init__(self, scope: Construct, construct_id: str, settings: StageSettings, placement: Placement) -> None:
        super().__init__(scope, construct_id)
        engine = DatabaseClusterEngine.aurora_postgres(version=ENGINE_VERSION)
        minimum, maximum = settings.database_capacity
        name = settings.physical_name("database")
        log = LogGroup(
            self,
            "Log",
            log_group_name=f"/aws/rds/cluster/{name}/postgresql",
            retention=settings.log_retention,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.cluster = DatabaseCluster(
            self,
            "Cluster",
            cluster_identifier=name,
            engine=engine,
            credentials=Credentials.from_generated_secret(OWNER),
            # The migration creates the database: one that Aurora makes has the collation of its operating system.
            writer=ClusterInstance.serverless_v2("Writer", auto_minor_version_upgrade=False),
            readers=[ClusterInstance.serverless_v2("Standby", scale_with_writer=True, auto_minor_version_upgrade=False)]
            if settings.production
            else [],
            serverless_v2_min_capacity=minimum,
            serverless_v2_max_capacity=maximum,
            serverless_v2_auto_pause_duration=_PAUSE_AFTER if not minimum else None,
            vpc=placement.vpc,
            vpc_subnets=SubnetSelection(subnet_type=SubnetType.PRIVATE_ISOLATED),
            storage_encrypted=True,
            storage_encryption_key=self._storage_key(settings) if settings.production else None,
            iam_authentication=True,
            parameter_group=ParameterGroup(
                self,
                "Parameters",
                engine=engine,
                description="TLS is not optional",  # another description would replace the group
                parameters={
                    "rds.force_ssl": "1",
                    # a session that its function has left holds its locks for little longer than a function lives
                    "idle_in_transaction_session_timeout": str(Duration.minutes(16).to_milliseconds()),
                    "idle_session_timeout": str(_IDLE_SESSION_TIMEOUT.to_milliseconds()),
                },
            ),
            # it alone says why an Apply whose function had gone has failed
            cloudwatch_logs_exports=["postgresql"],
            backup=BackupProps(retention=Duration.days(settings.database_backup_days)),
            copy_tags_to_snapshot=True,
            deletion_protection=settings.production,
            removal_policy=settings.database_removal,
        )
        self.cluster.node.add_dependency(log)  # Aurora makes it otherwise, and keeps it for ever
        if not settings.production:
            accept(
                self.cluster, {"AwsSolutions-RDS10": "A stage for trying is deleted with its stacks; a snapshot stays."}
            )
        if self.cluster.secret is None:
            raise LookupError("a generated owner always has a secret")
        self.owner_secret: ISecret = self.cluster.secret
        self.password_rules = json.dumps(_PASSWORD_RULES, sort_keys=True)
        """The rules of the application's password: CloudFormation generates it anew when they change."""
        self.application_secret = Secret(
            self,
            "ApplicationSecret",
            description="How functions connect: a role that owns no table and is bound by row-level security",
            generate_secret_string=SecretStringGenerator(
                secret_string_template=Stack.of(self).to_json_string(
                    {
                        "engine": "postgres",
                        "username": APPLICATION_ROLE,
                        "host": self.cluster.cluster_endpoint.hostname,
                        "port": self.cluster.cluster_endpoint.port,
                        "dbname": DATABASE_NAME,
                    }
                ),
                generate_string_key="password",
                **_PASSWORD_RULES,
            ),
        )
        self._rotate_passwords(placement)

    def _storage_key(self, settings: StageSettings) -> Key:
        """A key of the stage's own: what is encrypted by the account's default one can be copied to no other account.
        The account of the stage's backup vault may use it."""
        key = Key(
            self,
            "StorageKey",
            description="Encrypts the database and its backups",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        if settings.backup_vault_arn:
            key.grant(
                AccountPrincipal(account_of(settings.backup_vault_arn)),
                *("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*", "kms:ReEncrypt*"),
            )
        return key

    def _rotate_passwords(self, placement: Placement) -> None:
        """Rotate both passwords, by functions of Secrets Manager's own. Ours read a secret again when the database
        refuses its password."""
        for secret in (self.owner_secret, self.application_secret):
            secret.add_rotation_schedule(
                "Rotation",
                automatically_after=ROTATION_INTERVAL,
                # the first deployment makes the application's role after this
                rotate_immediately_on_update=False,
                hosted_rotation=HostedRotation.postgre_sql_single_user(
                    vpc=placement.vpc,
                    vpc_subnets=SubnetSelection(subnet_type=SubnetType.PRIVATE_WITH_EGRESS),
                    security_groups=[placement.security_group],
                ),
            )
