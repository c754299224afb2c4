"""All of AWS that the template asks for, started, filled and kept."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from sqlalchemy.engine import URL

from infra.local.aws import executions, functions, objects, provision
from infra.local.aws.authorization import AccessRecord, Authorization
from infra.local.aws.clients import Clients
from infra.local.aws.documents import load_schedules, load_secrets, write_schedules, write_secrets
from infra.local.aws.identity import Identity, Trigger
from infra.local.aws.replacements import Replacements
from infra.local.aws.second_factors import SecondFactors
from infra.local.aws.server import AwsServer
from infra.local.state import StateStore
from infra.local.template import Template
from infra.local.workers import Invoke

_PORT = ("server", "aws_port")


class LocalAws:
    """moto in this process: at most one at a time, because moto's memory belongs to the process."""

    def __init__(
        self,
        folder: Path,
        state: StateStore,
        template: Template,
        record_access: Callable[[AccessRecord], object] = lambda _: None,
    ) -> None:
        """`folder` is where objects are kept; `record_access` is given what functions ask of AWS, once each."""
        self._state = state
        self._template = template
        self._replacements = Replacements()
        self._files = objects.ObjectFiles(folder, state)
        self._identity: Identity | None = None
        self._server = AwsServer(
            self._write_down, Authorization(template, record_access), preferred_port=state.get(*_PORT) or 0
        )
        self._writing = threading.Lock()
        self._loaded = False
        self.clients = Clients(self._server.endpoint)

    @property
    def endpoint(self) -> str:
        """The address for AWS_ENDPOINT_URL."""
        return self._server.endpoint

    @property
    def identity(self) -> Identity:
        """The user pool's issuer and keys, once started."""
        if self._identity is None:
            message = "the local AWS has not been started"
            raise RuntimeError(message)
        return self._identity

    def start(self, invoke: Invoke, trigger: Trigger | None, database: URL) -> None:
        """Creates what the template declares, gives back what earlier runs kept, and begins to answer.

        `invoke` runs functions for state machines, `trigger` is the pre-token-generation function.
        """
        BackendDict.reset()
        reset_model_data()
        pool = self._template.user_pool()
        self._identity = Identity(pool, self._state, trigger)
        functions.install(invoke, self._replacements)
        executions.install(lambda arn, event: functions.invoke_in_background(invoke, arn, event), self._replacements)
        objects.install(self._files, self._replacements)
        self._identity.install(self._replacements)
        SecondFactors(self._state).install(self._replacements)
        self._server.start()
        self._state.put(*_PORT, self._server.port)

        provision.create_user_pool(self.clients, pool)
        self._identity.load()
        load_secrets(self._state)
        provision.create_buckets(self.clients, self._template)
        self._files.load()
        provision.create_events(self.clients, self._template)
        provision.create_state_machines(self.clients, self._template)
        provision.create_schedule_groups(self.clients, self._template)
        load_schedules(self._state)
        self._loaded = True
        provision.create_schedules(self.clients, self._template)
        provision.fill_secrets(self.clients, self._template, database)

    def resume(self) -> None:
        """Starts again what was running in the state machines when the last run ended."""
        executions.resume_executions(self._state, self.clients("stepfunctions"))

    def note_executions(self) -> None:
        """Writes down which executions still run; the others need not begin again."""
        with self._writing:
            if self._loaded:
                executions.write_executions(self._state)

    def schedules(self) -> list[dict[str, Any]]:
        """All schedules, as Scheduler's GetSchedule answers them."""
        from moto.scheduler.models import scheduler_backends

        from infra.local.cloud_assembly import ACCOUNT, REGION

        groups = list(scheduler_backends[ACCOUNT][REGION].schedule_groups.values())
        return [schedule.to_dict() for group in groups for schedule in list(group.schedules.values())]

    def stop(self) -> None:
        """Writes nothing down any more: what fails from now on fails because of the end, and begins again."""
        with self._writing:
            self._loaded = False

    def close(self) -> None:
        """Answers nothing more, and puts moto back as it was."""
        self._server.stop()
        self._replacements.undo()

    def _write_down(self, service: str) -> None:
        with self._writing:
            if not self._loaded:
                return  # what is created from the template is not news, and must not overwrite what was kept
            match service:
                case "s3":
                    self._files.write_down()
                case "cognito-idp":
                    self.identity.write_down()
                case "secretsmanager":
                    write_secrets(self._state)
                case "scheduler":
                    write_schedules(self._state)
                case "states":
                    executions.write_executions(self._state)
