"""A state machine with its log."""

from collections.abc import Sequence

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack
from aws_cdk.aws_events import EventPattern, Rule
from aws_cdk.aws_iam import IRole, PolicyStatement
from aws_cdk.aws_lambda import Function
from aws_cdk.aws_logs import LogGroup
from aws_cdk.aws_stepfunctions import (
    CfnStateMachine,
    CfnStateMachineVersion,
    DefinitionBody,
    IChainable,
    LogLevel,
    LogOptions,
    StateMachine,
)
from constructs import Construct

from infra.best_practices import accept
from infra.constructs.dead_letters import DeadLetters
from infra.constructs.platform import Platform
from infra.constructs.service_function import ServiceFunction
from infra.function_specs import Grant
from infra.settings import StageSettings

EXECUTION_TIMEOUT = Duration.hours(24)
"""Of a whole execution. A first sync of a million parcels takes minutes and the largest valuation run an hour or
two; what runs for a day does not end, and keeps a county's next sync waiting."""


class Machine(Construct):
    """A standard workflow (not express): a run may take hours, and its history is kept for 90 days. Each deployment
    publishes a version of it, with which an operator can start what a former release did."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        name: str,
        definition: IChainable,
        functions: Sequence[ServiceFunction],
        settings: StageSettings,
    ) -> None:
        """`functions` are those of the definition: the machine may call all their versions, since executions that began
        before a deployment go on with former ones."""
        super().__init__(scope, construct_id)
        physical_name = settings.physical_name(name)
        self.machine = StateMachine(
            self,
            "Machine",
            state_machine_name=physical_name,
            definition_body=DefinitionBody.from_chainable(definition),
            timeout=EXECUTION_TIMEOUT,
            tracing_enabled=True,
            logs=LogOptions(
                destination=LogGroup(
                    self,
                    "Log",
                    # The prefix that does not count against the size of the account's log resource policy.
                    log_group_name=f"/aws/vendedlogs/states/{physical_name}",
                    retention=settings.log_retention,
                    removal_policy=RemovalPolicy.DESTROY,
                ),
                level=LogLevel.ALL,
                include_execution_data=False,
            ),
        )
        for function in functions:
            function.function.grant_invoke(self.machine)
        machine = self.machine.node.default_child
        if not isinstance(machine, CfnStateMachine):
            raise TypeError("a state machine consists of a CfnStateMachine")
        CfnStateMachineVersion(
            self,
            "Version",
            state_machine_arn=self.machine.state_machine_arn,
            state_machine_revision_id=machine.attr_state_machine_revision_id,
        ).apply_removal_policy(RemovalPolicy.RETAIN)
        accept(
            self.machine,
            {
                "AwsSolutions-IAM5[Resource::*]": "Log delivery and trace segments are actions that take no resource.",
                "AwsSolutions-IAM5[Resource::…:*]": "Versions of the machine's own functions, and its own executions.",
                "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::…/*]": "A run's lists have keys named after it.",
            },
        )


_EXECUTIONS_ARE_NAMED = {"arn:<AWS::Partition>:states:…:*": "Executions are named when they start."}


def offer_description(platform: Platform, grant: Grant, variable: str, name: str, stack: Stack) -> None:
    """Offer `grant`: to describe executions of a machine that is still to be made, from one of its own functions.

    The machine depends on its functions, so they know it by its name.
    """
    machine = stack.format_arn(
        service="states",
        resource="stateMachine",
        resource_name=platform.settings.physical_name(name),
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
    describe = PolicyStatement(
        actions=["states:DescribeExecution"], resources=[_executions(stack, platform.settings.physical_name(name))]
    )
    platform.offer(
        grant,
        environment={variable: machine},
        allow=lambda role: role.add_to_principal_policy(describe),
        wildcards=_EXECUTIONS_ARE_NAMED,
    )


def _executions(stack: Stack, machine_name: str) -> str:
    return stack.format_arn(
        service="states",
        resource="execution",
        resource_name=f"{machine_name}:*",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )


def offer_machine(platform: Platform, grant: Grant, variable: str, name: str, machine: StateMachine) -> None:
    """Offer `grant`: to start, describe and stop executions of `machine`, whose ARN is the value of `variable`."""
    describe_and_stop = PolicyStatement(
        actions=["states:DescribeExecution", "states:StopExecution"],
        resources=[_executions(Stack.of(machine), platform.settings.physical_name(name))],
    )

    def allow(role: IRole) -> None:
        machine.grant_start_execution(role)
        role.add_to_principal_policy(describe_and_stop)

    platform.offer(
        grant,
        environment={variable: machine.state_machine_arn},
        allow=allow,
        wildcards=_EXECUTIONS_ARE_NAMED,
    )


def notify_of_ends(scope: Construct, machine: StateMachine, function: Function, dead_letters: DeadLetters) -> None:
    """Call `function` for every execution that ended otherwise than by its last state: it failed before its failure was
    recorded, timed out, or was stopped. `dead_letters` keeps the events that it could not handle."""
    Rule(
        scope,
        "Ended",
        description="An execution has ended, perhaps without having ended its job",
        event_pattern=EventPattern(
            source=["aws.states"],
            detail_type=["Step Functions Execution Status Change"],
            detail={"status": ["FAILED", "TIMED_OUT", "ABORTED"], "stateMachineArn": [machine.state_machine_arn]},
        ),
        targets=[dead_letters.event_target(function)],
    )
