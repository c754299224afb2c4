"""A function that the clock calls."""

from aws_cdk import Stack
from aws_cdk.aws_iam import PolicyStatement, Role, ServicePrincipal
from aws_cdk.aws_scheduler import CfnSchedule
from constructs import Construct

from infra.constructs.platform import Platform
from infra.constructs.service_function import ServiceFunction
from infra.function_specs import FunctionSpec


class ClockedFunction(Construct):
    """The function and its schedule, which is not in the counties' group: it ticks when theirs do not."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        spec: FunctionSpec,
        platform: Platform,
        *,
        minutes: int,
        description: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self.function = ServiceFunction(scope, spec, platform).function
        account = Stack.of(self).account
        principal = ServicePrincipal(
            "scheduler.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": account}}
        )
        role = Role(self, "Role", description=f"For the clock: {description}", assumed_by=principal)
        role.add_to_policy(PolicyStatement(actions=["lambda:InvokeFunction"], resources=[self.function.function_arn]))
        CfnSchedule(
            self,
            "Schedule",
            name=platform.settings.physical_name(spec.name),
            description=description,
            schedule_expression=f"rate({minutes} minutes)",
            flexible_time_window=CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=CfnSchedule.TargetProperty(
                arn=self.function.function_arn,
                role_arn=role.role_arn,
                # the next tick is as good as another attempt
                retry_policy=CfnSchedule.RetryPolicyProperty(maximum_retry_attempts=0),
            ),
        )
