"""Lambda functions as the registry describes them: their code, their layers, and what they may use."""

import importlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from shared.api import Route
from shared.jobs import AnyJobKind, JobKind


class Layer(StrEnum):
    """A folder under layers/: dependencies that functions share."""

    CORE = "core"
    FRAMES = "frames"
    SOURCES = "sources"
    LEARN = "learn"
    GEO = "geo"
    FILTERS = "filters"
    DOCUMENTS = "documents"
    MIGRATIONS = "migrations"
    TOKENS = "tokens"


class Grant(StrEnum):
    """A grant of a function. Each brings its IAM permissions and the environment variables that name it."""

    DATABASE = "database"
    """Connect as the application's role, which neither owns tables nor passes over row-level security."""
    DATABASE_OWNER = "database_owner"
    """Connect as the owner of the schema: migrations only."""
    READ_DATA = "read_data"
    """Read objects of the counties."""
    WRITE_DATA = "write_data"
    """Write and delete objects of the counties."""
    SOURCE_SECRETS = "source_secrets"
    """Read the connection secrets of the counties' systems: `terrafusion/<county_id>/<name>`."""
    PUBLISH_EVENTS = "publish_events"
    RUN_SYNC = "run_sync"
    """Start, look at and stop executions of the sync machine."""
    DESCRIBE_SYNC = "describe_sync"
    """Look at executions of the sync machine, for its own Plan: a run whose execution has ended is in nobody's way."""
    CONVERT_FILES = "convert_files"
    """Call the function that converts geographic files."""
    RUN_JOBS = "run_jobs"
    """The same of the jobs machine."""
    RUN_DELIVERIES = "run_deliveries"
    """Start executions of the machine that delivers to webhooks."""
    WEBHOOK_SIGNING = "webhook_signing"
    """Read the key from which the secrets of webhooks are derived."""
    MANAGE_SCHEDULES = "manage_schedules"
    """Write the counties' schedules, and hand the scheduler the role it starts a sync with."""
    SCHEDULE_JOBS = "schedule_jobs"
    """Write schedules of jobs, and hand the scheduler the role by which it calls the function that submits them."""
    LIST_SCHEDULES = "list_schedules"
    """List the counties' schedules."""
    SIGN_IN = "sign_in"
    """Know the user pool and its client. Signing in needs no IAM permission."""
    READ_USERS = "read_users"
    """Read a user with the roles."""
    MANAGE_USERS = "manage_users"
    """Read users and change their attributes (which counties they work for)."""
    ADMINISTER_USERS = "administer_users"
    """Create users, change roles and passwords, disable, enable and sign out."""


@dataclass(frozen=True)
class FunctionSpec:
    """One Lambda function.

    `entry` is `package.module.attribute`; `memory_mb` decides the CPU too (1,769 MB is one core), and a stage may
    allow less (`StageSettings.max_function_mb`);
    `job_kinds` are the kinds of the jobs machine that it runs.
    """

    name: str
    entry: str
    grants: frozenset[Grant] = frozenset()
    layers: tuple[Layer, ...] = (Layer.CORE,)
    memory_mb: int = 1024
    timeout_s: int = 29
    job_kinds: tuple[AnyJobKind, ...] = ()
    scratch_mb: int = 512
    """Room for temporary files."""
    starts: tuple[str, ...] = ()
    """Modules that it starts as processes, with its layers."""

    @property
    def module_path(self) -> str:
        """The Python module of the entry."""
        return self.entry.rpartition(".")[0]

    @property
    def package(self) -> str:
        """The folder that its asset carries: `functions.sync` of `functions.sync.tasks.machine.plan`."""
        return ".".join(self.entry.split(".")[:2])

    @property
    def construct_id(self) -> str:
        return "".join(word.title() for word in self.name.split("-"))


@dataclass(frozen=True)
class SyncFunctions:
    """The tasks of the sync machine."""

    plan: FunctionSpec
    convert: FunctionSpec
    partition: FunctionSpec
    reconcile: FunctionSpec
    apply: FunctionSpec
    prepare: FunctionSpec
    curate: FunctionSpec
    publish: FunctionSpec
    fail: FunctionSpec


@dataclass(frozen=True)
class PartitionedJob:
    """The functions of a kind of job of the jobs machine that is cut into partitions.

    Together the steps may take hours; each call has a Lambda's fifteen minutes.
    """

    kind: AnyJobKind
    plan: FunctionSpec
    partition: FunctionSpec
    finish: FunctionSpec

    @property
    def functions(self) -> tuple[FunctionSpec, FunctionSpec, FunctionSpec]:
        return self.plan, self.partition, self.finish


@dataclass(frozen=True)
class Registry:
    """All functions, by what calls them."""

    api: tuple[FunctionSpec, ...]
    jobs: tuple[FunctionSpec, ...]
    partitioned_jobs: tuple[PartitionedJob, ...]
    settle_job: FunctionSpec
    """Told of an execution of the jobs machine that ended without having ended its job."""
    index_addresses: FunctionSpec
    """Told of syncs that were applied, to index the county's addresses."""
    seal_audit_trails: FunctionSpec
    """Called by the clock to seal the audit events of each county."""
    start_scheduled_job: FunctionSpec
    """Called by the clock of each schedule of a job."""
    freshness: FunctionSpec
    """Called by the clock to measure the age of each county's last good sync."""
    sync: SyncFunctions
    webhook_dispatch: FunctionSpec
    """Told of every end of a job or sync, for the webhooks of its county."""
    webhook_attempt: FunctionSpec
    pre_token: FunctionSpec
    authorizer: FunctionSpec
    """Asked by the gateway who sends a request to a route that keys open."""
    migrations: FunctionSpec

    @property
    def job_kinds(self) -> tuple[AnyJobKind, ...]:
        """The kinds of jobs of all modules that have an API."""
        return tuple(kind for spec in self.api for kind in job_kinds_of(spec.package))

    def __iter__(self) -> Iterator[FunctionSpec]:
        yield from self.api
        yield from self.jobs
        yield from (function for job in self.partitioned_jobs for function in job.functions)
        yield self.settle_job
        yield self.index_addresses
        yield self.seal_audit_trails
        yield self.start_scheduled_job
        yield self.freshness
        yield from vars(self.sync).values()
        yield self.webhook_dispatch
        yield self.webhook_attempt
        yield self.pre_token
        yield self.authorizer
        yield self.migrations


def routes_of(spec: FunctionSpec) -> list[Route]:
    """The routes that an API function declares beside its code."""
    routes: list[Route] = importlib.import_module(spec.module_path).api.routes
    return routes


def job_kinds_of(package: str, *constants: str) -> tuple[AnyJobKind, ...]:
    """The kinds of jobs that a module declares in its `job_kinds`, in their order, or those of these constants."""
    if importlib.util.find_spec(f"{package}.job_kinds") is None:
        return ()
    declared = vars(importlib.import_module(f"{package}.job_kinds"))
    kinds = {name: value for name, value in declared.items() if isinstance(value, JobKind)}
    return tuple(kinds[name] for name in constants or kinds)
