"""The schema's migration, a custom resource of the deployment."""

from aws_cdk import CustomResource, RemovalPolicy
from aws_cdk.aws_logs import LogGroup
from aws_cdk.custom_resources import Provider
from constructs import Construct

from infra.assets import digest
from infra.best_practices import accept, managed_policy
from infra.constructs.database import Database
from infra.constructs.platform import Platform
from infra.constructs.service_function import ServiceFunction
from infra.function_specs import FunctionSpec
from infra.settings import ROOT


class Migrations(Construct):
    """A migration at each change of the migrations or the models, before any other stack is updated."""

    def __init__(
        self, scope: Construct, construct_id: str, spec: FunctionSpec, platform: Platform, database: Database
    ) -> None:
        super().__init__(scope, construct_id)
        self.function = ServiceFunction(self, spec, platform).function
        provider = Provider(
            self,
            "Provider",
            on_event_handler=self.function,
            log_group=LogGroup(
                self, "ProviderLog", retention=platform.settings.log_retention, removal_policy=RemovalPolicy.DESTROY
            ),
        )
        accept(
            provider,
            {
                managed_policy("AWSLambdaBasicExecutionRole"): "The CDK's provider framework writes its log by it.",
                "AwsSolutions-IAM5[Resource::…:*]": "Versions of the migration's own function.",
                "AwsSolutions-L1": "The CDK's provider framework chooses its runtime.",
            },
        )
        migrated = CustomResource(
            self,
            "Migrated",
            resource_type="Custom::SchemaMigration",
            service_token=provider.service_token,
            properties={
                "Digest": digest([ROOT / "shared" / "db"]),
                # The migration gives the application's role the password of its secret: of a new one, too.
                "ApplicationSecret": database.application_secret.secret_arn,
                "PasswordRules": database.password_rules,
            },
        )
        migrated.node.add_dependency(database)
