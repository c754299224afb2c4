"""The jobs machine and the functions of the long tasks."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import Stack
from aws_cdk.aws_events import EventPattern, IEventBus, Rule
from aws_cdk.aws_iam import PolicyStatement
from aws_cdk.aws_s3 import IBucket
from constructs import Construct

from infra.constructs.clocked_function import ClockedFunction
from infra.constructs.dead_letters import DeadLetters
from infra.constructs.jobs_definition import PartitionedSteps, jobs_definition
from infra.constructs.machine import Machine, notify_of_ends, offer_machine
from infra.constructs.platform import Platform
from infra.constructs.schedules import offer_schedules
from infra.constructs.service_function import ServiceFunction
from infra.function_specs import FunctionSpec, Grant, PartitionedJob


class JobsStack(Stack):
    """One life cycle for the long tasks of all modules."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        platform: Platform,
        functions: Sequence[FunctionSpec],
        partitioned: Sequence[PartitionedJob],
        settle_job: FunctionSpec,
        index_addresses: FunctionSpec,
        seal_audit_trails: FunctionSpec,
        start_scheduled_job: FunctionSpec,
        bus: IEventBus,
        bucket: IBucket,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        tasks = [ServiceFunction(self, spec, platform) for spec in functions]
        steps = [
            PartitionedSteps(job.kind.name, *(ServiceFunction(self, spec, platform) for spec in job.functions))
            for job in partitioned
        ]
        step_functions = [function for step in steps for function in (step.plan, step.partition, step.finish)]
        settle = ServiceFunction(self, settle_job, platform)
        self.settle = settle.function
        index = ServiceFunction(self, index_addresses, platform)
        self.index_addresses = index.function
        self.seal_audit_trails = ClockedFunction(
            self,
            "SealClock",
            seal_audit_trails,
            platform,
            minutes=platform.settings.seal_interval_minutes,
            description="Seals the audit events of each county",
        ).function
        called = [function.function for function in (*tasks, *step_functions, settle, index)]
        self.functions = [*called, self.seal_audit_trails]
        definition = jobs_definition(self, tasks, steps, bucket)
        self.machine = Machine(self, "Jobs", "jobs", definition, (*tasks, *step_functions), platform.settings).machine
        self.dead_letters = DeadLetters(self, "DeadLetters", "jobs", platform.settings)
        notify_of_ends(self, self.machine, settle.function, self.dead_letters)
        Rule(
            self,
            "Synced",
            description="A sync has been applied: the county's addresses may have changed",
            event_bus=bus,
            event_pattern=EventPattern(source=["terrafusion.sync"], detail_type=["SyncCompleted"]),
            targets=[self.dead_letters.event_target(index.function)],
        )
        offer_machine(platform, Grant.RUN_JOBS, "JOBS_STATE_MACHINE_ARN", "jobs", self.machine)
        start = ServiceFunction(self, start_scheduled_job, platform)
        self.start_scheduled_job = start.function
        self.dead_letters.keep_failures_of(start.function)
        self.functions.append(start.function)
        invoke = PolicyStatement(actions=["lambda:InvokeFunction"], resources=[start.function.function_arn])
        offer_schedules(
            self,
            platform,
            Grant.SCHEDULE_JOBS,
            group_name="jobs",
            variables="JOB_SCHEDULE",
            description="Has the jobs of schedules submitted",
            target=("JOB_SCHEDULE_TARGET_ARN", start.function.function_arn),
            allow_target=lambda role: role.add_to_principal_policy(invoke),
            dead_letters=self.dead_letters,
        )
