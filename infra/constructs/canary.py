"""A new release's way to the API's callers: a tenth of the requests first, and back again where they fail."""

from collections.abc import Sequence

from aws_cdk.aws_cloudwatch import Alarm, ComparisonOperator, IMetric, TreatMissingData
from aws_cdk.aws_codedeploy import (
    AutoRollbackConfig,
    LambdaApplication,
    LambdaDeploymentConfig,
    LambdaDeploymentGroup,
)
from aws_cdk.aws_iam import ManagedPolicy, Role, ServicePrincipal
from constructs import Construct

from infra.best_practices import accept, managed_policy
from infra.constructs.service_function import ServiceFunction
from infra.settings import StageSettings

MAX_ERRORS_A_MINUTE = 5
"""5xx of the whole API that stop a release, the number of five minutes that raises the alarm `ApiErrors`: handlers
answer an error themselves, so that Lambda's own metric of errors does not see it."""


class Canary(Construct):
    """CodeDeploy shifts each function's alias: 10 % for five minutes, then all; on the alarm, none."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        functions: Sequence[ServiceFunction],
        errors: IMetric,
        settings: StageSettings,
    ) -> None:
        """`errors` counts 5xx a minute; its alarm ends the deployment, which CloudFormation then takes back whole."""
        super().__init__(scope, construct_id)
        alarm = Alarm(
            self,
            "Errors",
            alarm_name=settings.physical_name("ReleaseErrors"),
            alarm_description="The API answers with 5xx: a release that is being shifted is taken back",
            metric=errors,
            threshold=MAX_ERRORS_A_MINUTE,
            evaluation_periods=1,
            comparison_operator=ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=TreatMissingData.NOT_BREACHING,
        )
        role = Role(
            self,
            "Role",
            assumed_by=ServicePrincipal("codedeploy.amazonaws.com"),
            managed_policies=[
                ManagedPolicy.from_aws_managed_policy_name("service-role/AWSCodeDeployRoleForLambdaLimited")
            ],
        )
        accept(role, {managed_policy("AWSCodeDeployRoleForLambdaLimited"): "CodeDeploy's own policy for Lambda."})
        application = LambdaApplication(self, "Application", application_name=settings.physical_name("api"))
        for function in functions:
            LambdaDeploymentGroup(
                self,
                function.node.id,
                application=application,
                alias=function.alias,
                alarms=[alarm],
                role=role,
                deployment_config=LambdaDeploymentConfig.CANARY_10_PERCENT_5_MINUTES,
                auto_rollback=AutoRollbackConfig(deployment_in_alarm=True, failed_deployment=True),
            )
