"""The local cloud: what the templates declare, running on this machine until it is stopped."""

import gc
import json
import os
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from infra.local.accounts import Account, Credentials, create_accounts
from infra.local.aws.authorization import AccessRecord
from infra.local.aws.clients import ACCESS_KEY, SECRET_KEY, Clients
from infra.local.aws.services import LocalAws
from infra.local.child_processes import Service
from infra.local.cloud_assembly import REGION, Assembly
from infra.local.custom_resources import deploy
from infra.local.data_directory import DataDirectory
from infra.local.gateway import ApiIdentity, ApiProcesses, Gateway, GatewayServer, TokenVerifier, listen
from infra.local.gateway.fork_server import GC_THRESHOLDS
from infra.local.gateway.functions import InlineFunctions
from infra.local.lambda_runtime import shared_variables
from infra.local.postgres import LocalPostgres
from infra.local.resource_names import LocalIdentifiers
from infra.local.scheduler import Scheduler, target_starter
from infra.local.state import StateStore
from infra.local.synthesis import Synthesis
from infra.local.template import Function, Template
from infra.local.workers import WorkerPool

WORKERS = 2

Part = TypeVar("Part")


class LocalCloud(Service):
    """One data directory's services, in this process and its children.

    At most one at a time in a process, started from the main thread.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int = 8080,
        *,
        assembly: Path | None = None,
        durable: bool = True,
        accounts: Iterable[Account] = (),
        environment: Mapping[str, str] | None = None,
        warm_handlers: str | None = None,
    ) -> None:
        """Describe a local cloud; `start` starts it.

        - `data_dir`: the folder in which everything is kept
        - `port`: the port of the API; 0 takes a free one
        - `assembly`: a synthesized assembly to serve; without it the project's own is synthesized, or taken from the
          data directory where nothing has changed
        - `durable`: False for data that may be lost
        - `accounts`: users of the pool that are created where they are missing
        - `environment`: variables of all functions, beside those of the template
        - `warm_handlers`: the prefix of handlers that the workers import right after the start
        """
        self._directory = DataDirectory(data_dir)
        self._port = port
        self._assembly = assembly
        self._open = ExitStack()
        self.postgres = LocalPostgres(self._directory.path, durable=durable)
        self._accounts = tuple(accounts)
        self._extra_environment = dict(environment or {})
        self._warm_handlers = warm_handlers
        self._credentials: list[Credentials] = []
        self._aws: LocalAws | None = None
        self._workers: WorkerPool | None = None
        self._environment: dict[str, str] = {}

    @property
    def data_dir(self) -> Path:
        """The folder that everything is kept in."""
        return self._directory.path

    @property
    def url(self) -> str:
        """The address of the API."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def credentials(self) -> list[Credentials]:
        """The accounts' names and passwords."""
        return list(self._credentials)

    @property
    def clients(self) -> Clients:
        """boto3 clients of the local AWS."""
        return _started(self._aws).clients

    @property
    def aws_endpoint(self) -> str:
        """Endpoint of the local AWS, for the AWS command line too; it takes any credentials."""
        return _started(self._aws).endpoint

    @property
    def workers(self) -> WorkerPool:
        """The processes that run the tasks of state machines."""
        return _started(self._workers)

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that the functions run with; boto3 works under them."""
        return dict(self._environment)

    def start(self) -> None:
        """Returns when requests are answered. What was started is stopped again when something fails.

        Raises LocalCloudError.
        """
        try:
            self._start()
            gc.collect()
            gc.freeze()  # what was made so far stays, and need not be looked through again while requests wait
            gc.set_threshold(*GC_THRESHOLDS)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stops everything, the last started first; what was answered is on disk."""
        self._open.close()
        gc.unfreeze()

    def _start(self) -> None:
        directory = self._open.enter_context(self._directory)
        listening = self._open.enter_context(listen(self._port))
        self._port = listening.getsockname()[1]
        if self._assembly is not None:
            self._open.enter_context(self.postgres)
            assembly = self._assembly
        else:
            with Synthesis(directory.assemblies) as synthesis:  # in another process, beside PostgreSQL's start
                self._open.enter_context(self.postgres)
                assembly = synthesis.result()
        identifiers = LocalIdentifiers(self.postgres.host, self.postgres.port)
        template = Template(Assembly(assembly, identifiers))
        self.postgres.create_owner(*template.database_owner())
        state = StateStore(directory.state)
        self._open.callback(state.close)

        aws = self._aws = LocalAws(directory.objects, state, template, self._record_access())
        self._open.callback(aws.close)
        self._environment = (
            _aws_environment(aws.endpoint) | self._extra_environment | shared_variables(template.functions())
        )
        workers = self._workers = self._start_workers(template.functions())
        processes = self._start_processes(template)
        inline = self._inline_functions(template)
        trigger = template.user_pool().token_trigger
        aws.start(
            workers.invoke,
            (lambda event: inline.invoke(trigger, event)) if trigger else None,
            self.postgres.owner_url(),
        )
        self._open.callback(aws.stop)
        deploy(template.custom_resources(), workers.invoke, state, anew=self.postgres.initialised)
        pool_id = template.user_pool().identifier
        self._credentials = create_accounts(aws.clients, state, pool_id, self._accounts)
        self._start_gateway(template, aws, processes, listening)
        self._start_scheduler(aws, workers)
        self.postgres.keep_running()
        aws.resume()
        self._warm_up(template, workers)

    def _record_access(self) -> Callable[[AccessRecord], object]:
        """A log of what functions ask of AWS, a line for each function and action."""
        log = self._open.enter_context(self._directory.log("permissions.jsonl"))
        return lambda record: log.write(json.dumps(asdict(record)) + "\n")  # at once: threads share it

    def _start_workers(self, functions: list[Function]) -> WorkerPool:
        log = self._directory.logs / "functions.log"
        return self._open.enter_context(WorkerPool(functions, self._environment, log, self._directory.scratch, WORKERS))

    def _start_processes(self, template: Template) -> ApiProcesses:
        api = template.rest_api()
        answering = {route.function for route in api.routes}
        answering |= {route.authorizer.function for route in api.routes if route.authorizer}
        functions = [function for function in template.functions() if function.arn in answering]
        log = self._directory.logs / "api.log"
        return self._open.enter_context(
            ApiProcesses(ApiIdentity(api.identifier, api.stage), functions, self._environment, log)
        )

    def _warm_up(self, template: Template, workers: WorkerPool) -> None:
        """Import the warm handlers in the workers, beside whatever is asked for meanwhile."""
        prefix = self._warm_handlers
        arns = [function.arn for function in template.functions() if prefix and function.handler.startswith(prefix)]
        threading.Thread(target=workers.prepare, args=(arns,), name="warm-up", daemon=True).start()

    def _inline_functions(self, template: Template) -> InlineFunctions:
        """Functions that this process runs itself, so it takes on their environment."""
        self._open.enter_context(_changed_environment(self._environment))
        log = self._open.enter_context(self._directory.log("api.log"))
        return InlineFunctions(template.functions(), log)

    def _start_gateway(
        self, template: Template, aws: LocalAws, processes: ApiProcesses, listening: socket.socket
    ) -> None:
        pool = template.user_pool()
        verifier = TokenVerifier(aws.identity.issuer, frozenset({pool.client_identifier}), aws.identity.public_keys)
        log = self._open.enter_context(self._directory.log("requests.jsonl"))
        server = GatewayServer(Gateway(template.rest_api(), verifier, processes, log), listening)
        server.start()
        self._open.callback(server.stop)

    def _start_scheduler(self, aws: LocalAws, workers: WorkerPool) -> None:
        start = target_starter(aws.clients("stepfunctions"), workers.invoke)
        scheduler = Scheduler(aws.schedules, start, after_tick=aws.note_executions)
        scheduler.start()
        self._open.callback(scheduler.stop)


def _started(part: Part | None) -> Part:
    if part is None:
        message = "the local cloud has not been started"
        raise RuntimeError(message)
    return part


def _aws_environment(endpoint: str) -> dict[str, str]:
    """Variables by which boto3 uses the local endpoint, and nothing of the person's own AWS configuration."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_SESSION_TOKEN": "",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "TZ": "UTC",
    }


@contextmanager
def _changed_environment(changes: Mapping[str, str]) -> Iterator[None]:
    """This process's environment with other values, put back at the end."""
    before = dict(os.environ)
    os.environ.pop("AWS_PROFILE", None)
    os.environ.update(changes)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
