"""The sync stack: state machine, tasks, and the schedules' group and role."""

from typing import Any

from aws_cdk import Stack
from aws_cdk.aws_iam import PolicyStatement
from aws_cdk.aws_s3 import IBucket
from constructs import Construct

from infra.constructs.dead_letters import DeadLetters
from infra.constructs.machine import Machine, notify_of_ends, offer_description, offer_machine
from infra.constructs.platform import Platform
from infra.constructs.schedules import offer_schedules
from infra.constructs.service_function import ServiceFunction
from infra.constructs.sync_definition import SyncSteps, sync_definition
from infra.function_specs import Grant, SyncFunctions

DEFAULT_CONCURRENCY = 40
"""Partitions at a time, unless the context `sync_max_concurrency` says otherwise: a county's own server bears
each of them."""


class SyncStack(Stack):
    """The sync machine. Counties' schedules are made at run time, from their configurations, in this stack's group."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        platform: Platform,
        functions: SyncFunctions,
        bucket: IBucket,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        offer_description(platform, Grant.DESCRIBE_SYNC, "SYNC_STATE_MACHINE_ARN", "sync", self)
        steps = SyncSteps(**{name: ServiceFunction(self, spec, platform) for name, spec in vars(functions).items()})
        concurrency = int(self.node.try_get_context("sync_max_concurrency") or DEFAULT_CONCURRENCY)
        self.functions = [step.function for step in vars(steps).values()]
        self.fail = steps.fail.function
        definition = sync_definition(self, steps, bucket, concurrency)
        self.machine = Machine(self, "Sync", "sync", definition, tuple(vars(steps).values()), platform.settings).machine
        convert = steps.convert.function
        platform.offer(
            Grant.CONVERT_FILES,
            environment={"CONVERT_FUNCTION_NAME": convert.function_name},
            allow=convert.grant_invoke,
            wildcards={"…:*": "Versions of the function that converts."},
        )
        self.dead_letters = DeadLetters(self, "DeadLetters", "sync", platform.settings)
        notify_of_ends(self, self.machine, steps.fail.function, self.dead_letters)
        offer_machine(platform, Grant.RUN_SYNC, "SYNC_STATE_MACHINE_ARN", "sync", self.machine)
        self.schedule_group = offer_schedules(
            self,
            platform,
            Grant.MANAGE_SCHEDULES,
            group_name="syncs",
            variables="SCHEDULE",
            description="Starts the sync machine on a county's schedule",
            target=("SYNC_STATE_MACHINE_ARN", self.machine.state_machine_arn),
            allow_target=self.machine.grant_start_execution,
            dead_letters=self.dead_letters,
        )
        platform.offer(
            Grant.LIST_SCHEDULES,
            environment={"SCHEDULE_GROUP_NAME": self.schedule_group.ref},
            allow=lambda grantee: grantee.add_to_principal_policy(
                PolicyStatement(actions=["scheduler:ListSchedules"], resources=["*"])
            ),
        )
