"""The jobs machine and the functions of the long tasks."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import Stack
from constructs import Construct

from infra.constructs.jobs_definition import jobs_definition
from infra.constructs.machine import Machine, offer_machine
from infra.constructs.platform import Platform
from infra.constructs.service_function import ServiceFunction
from infra.functions import FunctionSpec, Grant


class JobsStack(Stack):
    """One life cycle for every long task of a module."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        platform: Platform,
        functions: Sequence[FunctionSpec],
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        tasks = [ServiceFunction(self, spec, platform) for spec in functions]
        self.functions = [task.function for task in tasks]
        self.machine = Machine(self, "Jobs", "jobs", jobs_definition(self, tasks), platform.settings).machine
        offer_machine(platform, Grant.RUN_JOBS, "JOBS_STATE_MACHINE_ARN", self.machine)
