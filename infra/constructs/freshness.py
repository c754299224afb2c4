"""The function that measures the age of each county's last good sync, called by the clock."""

from aws_cdk import Stack
from aws_cdk.aws_iam import PolicyStatement, Role, ServicePrincipal
from aws_cdk.aws_scheduler import CfnSchedule
from constructs import Construct

from infra.constructs.platform import Platform
from infra.constructs.service_function import ServiceFunction
from infra.function_specs import FunctionSpec


class Freshness(Construct):
    """The function and its schedule, which is not in the counties' group: it has to tick when theirs do not."""

    def __init__(self, scope: Construct, spec: FunctionSpec, platform: Platform) -> None:
        super().__init__(scope, "Clock")
        self.function = ServiceFunction(scope, spec, platform).function
        account = Stack.of(self).account
        principal = ServicePrincipal(
            "scheduler.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": account}}
        )
        role = Role(self, "Role", description="Has the counties' freshness measured", assumed_by=principal)
        role.add_to_policy(PolicyStatement(actions=["lambda:InvokeFunction"], resources=[self.function.function_arn]))
        CfnSchedule(
            self,
            "Schedule",
            name=platform.settings.physical_name(spec.name),
            description="Measures the age of each county's last good sync",
            schedule_expression=f"rate({platform.settings.freshness_interval_minutes} minutes)",
            flexible_time_window=CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=CfnSchedule.TargetProperty(
                arn=self.function.function_arn,
                role_arn=role.role_arn,
                # the next tick is as good as another attempt
                retry_policy=CfnSchedule.RetryPolicyProperty(maximum_retry_attempts=0),
            ),
        )
