"""The one registry of Lambda functions. Stacks, state machines, tests and the local cloud read it.

A module joins with one entry here: its routes, their scopes and its place in the machines are derived from
its code (`api.routes`) and from its `job_kinds`.
"""

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
    DOCUMENTS = "documents"
    MIGRATIONS = "migrations"
    TOKENS = "tokens"


class Grant(StrEnum):
    """What a function may use. Each brings its IAM permissions and the environment variables that name it."""

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
        yield self.freshness
        yield from vars(self.sync).values()
        yield self.webhook_dispatch
        yield self.webhook_attempt
        yield self.pre_token
        yield self.authorizer
        yield self.migrations


_TASK = frozenset({Grant.DATABASE, Grant.READ_DATA, Grant.WRITE_DATA})
"""What a long task may do: read and write its county's rows and objects."""

_TWO_CORES_MB = 3538


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


def _api(
    module: str,
    *grants: Grant,
    layers: tuple[Layer, ...] = (Layer.CORE,),
    memory_mb: int = 1024,
) -> FunctionSpec:
    """The function of a module's routes. API Gateway waits 29 seconds for an answer, so it does too."""
    return FunctionSpec(
        module.replace("_", "-"),
        f"functions.{module}.handler.handler",
        frozenset(grants),
        layers,
        memory_mb,
        timeout_s=29,
    )


def _job(
    module: str,
    *layers: Layer,
    memory_mb: int = 1769,
    timeout_s: int = 900,
    scratch_mb: int = 512,
    starts: tuple[str, ...] = (),
) -> FunctionSpec:
    """The function of a module's long tasks: it runs the module's kinds of jobs."""
    return FunctionSpec(
        f"{module.replace('_', '-')}-task",
        f"functions.{module}.tasks.handler",
        _TASK,
        (Layer.CORE, *layers),
        memory_mb,
        timeout_s,
        job_kinds_of(f"functions.{module}"),
        scratch_mb,
        starts,
    )


def _valuation_task(step: str, *layers: Layer, memory_mb: int = 1769, kinds: tuple[str, ...] = ()) -> FunctionSpec:
    """The function of one of the long tasks of valuation."""
    return FunctionSpec(
        f"valuation-{step}",
        f"functions.valuation.tasks.{step}.handler",
        _TASK,
        (Layer.CORE, *layers),
        memory_mb,
        timeout_s=900,
        job_kinds=job_kinds_of("functions.valuation", *kinds) if kinds else (),
    )


def _district_task(
    step: str, *layers: Layer, grants: frozenset[Grant] = _TASK, scratch_mb: int = 512, starts: tuple[str, ...] = ()
) -> FunctionSpec:
    """The function of one of the steps of loading a map layer."""
    return FunctionSpec(
        f"districts-{step.replace('_', '-')}",
        f"functions.districts.tasks.{step}.handler",
        grants,
        (Layer.CORE, *layers),
        memory_mb=_TWO_CORES_MB,
        timeout_s=900,
        scratch_mb=scratch_mb,
        starts=starts,
    )


_SYNC_LAYERS = (Layer.CORE, Layer.FRAMES, Layer.SOURCES)


def _sync_task(
    name: str, *grants: Grant, memory_mb: int = 1769, timeout_s: int = 900, scratch_mb: int = 512
) -> FunctionSpec:
    return FunctionSpec(
        f"sync-{name}",
        f"functions.sync.tasks.machine.{name}",
        frozenset({Grant.DATABASE, *grants}),
        _SYNC_LAYERS,
        memory_mb,
        timeout_s,
        scratch_mb=scratch_mb,
    )


_DATA = (Grant.READ_DATA, Grant.WRITE_DATA)
_JOBS = (Grant.DATABASE, Grant.RUN_JOBS, Grant.READ_DATA)
"""What the routes of long tasks need: to submit a job, and to hand out what it found."""

REGISTRY = Registry(
    api=(
        _api("auth", Grant.SIGN_IN),
        _api(
            "counties",
            Grant.DATABASE,
            Grant.MANAGE_SCHEDULES,
            Grant.MANAGE_USERS,
            *_DATA,
            layers=(Layer.CORE, Layer.FRAMES),
        ),
        _api("properties", Grant.DATABASE, *_DATA),
        _api("platform", Grant.DATABASE),
        _api("keys", Grant.DATABASE),
        _api("users", Grant.DATABASE, Grant.READ_USERS, Grant.MANAGE_USERS, Grant.ADMINISTER_USERS),
        _api("audit", Grant.DATABASE, *_DATA),
        _api("jobs", Grant.DATABASE, *_DATA),
        _api(
            "sync",
            Grant.DATABASE,
            Grant.RUN_SYNC,
            Grant.SOURCE_SECRETS,
            Grant.CONVERT_FILES,
            Grant.PUBLISH_EVENTS,
            *_DATA,
            layers=_SYNC_LAYERS,
        ),
        _api("valuation", *_JOBS, Grant.WRITE_DATA, layers=(Layer.CORE, Layer.LEARN), memory_mb=1769),
        _api("roll", Grant.DATABASE, *_DATA),
        _api("ratio_study", *_JOBS, layers=(Layer.CORE, Layer.LEARN), memory_mb=1769),
        _api("sales_validation", *_JOBS, Grant.WRITE_DATA),
        _api("market_analysis", *_JOBS, Grant.WRITE_DATA, layers=(Layer.CORE, Layer.FRAMES)),
        _api("reporting", *_JOBS),
        _api("uploads", *_JOBS, Grant.WRITE_DATA),
        _api("gis_export", *_JOBS, layers=(Layer.CORE, Layer.GEO)),
        _api("districts", *_JOBS, layers=(Layer.CORE, Layer.GEO)),
        _api("features", Grant.DATABASE, layers=(Layer.CORE, Layer.GEO), memory_mb=1769),
        _api("webhooks", Grant.DATABASE, Grant.RUN_DELIVERIES, Grant.WEBHOOK_SIGNING, *_DATA),
    ),
    jobs=(
        _valuation_task(
            "training", Layer.LEARN, memory_mb=_TWO_CORES_MB, kinds=("VALUATION_MODEL", "COMPARABLES_MODEL")
        ),
        _valuation_task("approval", kinds=("VALUATION_APPROVAL",)),
        _job("ratio_study", Layer.LEARN),
        _job("sales_validation", Layer.LEARN),
        _job("market_analysis", Layer.LEARN),
        _job("reporting", Layer.DOCUMENTS),
        FunctionSpec(
            "uploads-task",
            "functions.uploads.tasks.handler",
            _TASK | {Grant.CONVERT_FILES},
            _SYNC_LAYERS,
            memory_mb=1769,
            timeout_s=900,
            job_kinds=job_kinds_of("functions.uploads"),
            scratch_mb=8192,  # a file is held and its workbook unpacked, as where a run plans
        ),
        _job(
            "gis_export",
            Layer.GEO,
            scratch_mb=10_240,  # a million parcels as GeoJSON are 800 MB, and more in their archive
            starts=("functions.gis_export.writers.process",),
        ),
    ),
    partitioned_jobs=(
        PartitionedJob(
            job_kinds_of("functions.valuation", "VALUATION_RUN")[0],
            plan=_valuation_task("planning", Layer.LEARN),
            partition=_valuation_task("partition", Layer.LEARN, memory_mb=_TWO_CORES_MB),
            finish=_valuation_task("finishing", Layer.FRAMES),
        ),
        PartitionedJob(
            job_kinds_of("functions.districts")[0],
            plan=_district_task("read_source", Layer.FRAMES, Layer.SOURCES, grants=_TASK | {Grant.SOURCE_SECRETS}),
            partition=_district_task(
                "convert_file", Layer.GEO, scratch_mb=10_240, starts=("shared.sources.files.geographic.process",)
            ),
            finish=_district_task("make_version", Layer.GEO),
        ),
    ),
    settle_job=FunctionSpec(
        "jobs-settle", "functions.jobs.tasks.settle", frozenset({Grant.DATABASE}), memory_mb=512, timeout_s=60
    ),
    index_addresses=FunctionSpec(
        "districts-index-addresses",
        "functions.districts.tasks.index_addresses.index_addresses",
        frozenset({Grant.DATABASE}),
        timeout_s=900,
    ),
    freshness=FunctionSpec(
        "freshness",
        "functions.freshness.tasks.measure",
        frozenset({Grant.DATABASE, Grant.READ_DATA, Grant.LIST_SCHEDULES}),
        memory_mb=512,
        timeout_s=300,  # 0.9 ms a county, measured here with 200 of them: 3 s for all 3,143
    ),
    sync=SyncFunctions(
        # a workbook is unpacked where it is cut
        plan=_sync_task("plan", *_DATA, Grant.SOURCE_SECRETS, Grant.DESCRIBE_SYNC, scratch_mb=8192),
        # and a geographic file where it is converted
        convert=FunctionSpec(
            "sync-convert",
            "functions.sync.tasks.conversion.convert",
            _TASK,
            (Layer.CORE, Layer.GEO),
            memory_mb=1769,
            timeout_s=900,
            scratch_mb=10_240,
            starts=("shared.sources.files.geographic.process",),
        ),
        partition=_sync_task("partition", *_DATA, Grant.SOURCE_SECRETS),
        reconcile=_sync_task("reconcile", *_DATA, Grant.SOURCE_SECRETS),
        apply=_sync_task("apply", *_DATA),
        prepare=_sync_task("prepare", *_DATA),
        curate=_sync_task("curate", *_DATA),
        publish=_sync_task("publish", *_DATA, Grant.PUBLISH_EVENTS),
        fail=_sync_task("fail", Grant.PUBLISH_EVENTS, memory_mb=512, timeout_s=60),
    ),
    webhook_dispatch=FunctionSpec(
        "webhooks-dispatch",
        "functions.webhooks.tasks.dispatch",
        frozenset({Grant.DATABASE, Grant.RUN_DELIVERIES}),
        memory_mb=512,
        timeout_s=60,
    ),
    webhook_attempt=FunctionSpec(
        "webhooks-attempt",
        "functions.webhooks.tasks.attempt",
        frozenset({Grant.DATABASE, Grant.WEBHOOK_SIGNING}),
        memory_mb=512,
        timeout_s=60,  # a receiver has 25 seconds of them
    ),
    # Cognito waits five seconds for a trigger: a whole core, for the sake of the cold start.
    pre_token=FunctionSpec(
        "pre-token", "functions.auth.pre_token.handler", frozenset({Grant.DATABASE}), memory_mb=1769, timeout_s=5
    ),
    # A cold start is in the way of a request: a whole core here too.
    authorizer=FunctionSpec(
        "authorizer",
        "functions.keys.authorizer.handler",
        frozenset({Grant.DATABASE, Grant.READ_USERS}),
        (Layer.CORE, Layer.TOKENS),
        memory_mb=1769,
        timeout_s=10,
    ),
    migrations=FunctionSpec(
        "migrations",
        "functions.migrations.handler.handler",
        frozenset({Grant.DATABASE, Grant.DATABASE_OWNER}),
        (Layer.CORE, Layer.MIGRATIONS),
        timeout_s=900,
    ),
)
