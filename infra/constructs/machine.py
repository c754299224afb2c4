"""A state machine with its log."""

from aws_cdk import RemovalPolicy
from aws_cdk.aws_logs import LogGroup
from aws_cdk.aws_stepfunctions import DefinitionBody, IChainable, LogLevel, LogOptions, StateMachine
from constructs import Construct

from infra.constructs.platform import Platform
from infra.functions import Grant
from infra.settings import StageSettings


class Machine(Construct):
    """Standard (not express): a run may take hours, and each of its steps is kept to look at."""

    def __init__(
        self, scope: Construct, construct_id: str, name: str, definition: IChainable, settings: StageSettings
    ) -> None:
        super().__init__(scope, construct_id)
        physical_name = settings.physical_name(name)
        self.machine = StateMachine(
            self,
            "Machine",
            state_machine_name=physical_name,
            definition_body=DefinitionBody.from_chainable(definition),
            logs=LogOptions(
                destination=LogGroup(
                    self,
                    "Log",
                    # The prefix that does not count against the size of the account's log resource policy.
                    log_group_name=f"/aws/vendedlogs/states/{physical_name}",
                    retention=settings.log_retention,
                    removal_policy=RemovalPolicy.DESTROY,
                ),
                level=LogLevel.ERROR,
                include_execution_data=False,
            ),
        )


def offer_machine(platform: Platform, grant: Grant, variable: str, machine: StateMachine) -> None:
    """Let functions start executions of `machine`, whose ARN is the variable's value."""
    platform.offer(
        grant, environment={variable: machine.state_machine_arn}, allow=lambda role: machine.grant_start_execution(role)
    )
