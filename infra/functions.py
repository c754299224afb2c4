"""The one registry of Lambda functions. Stacks, state machines, tests and the local cloud read it.

A module joins with one entry here: its routes, their scopes and its place in the machines are derived from
its code (`api.routes`) and from its `job_kinds`.
"""

from infra.function_specs import (
    FunctionSpec,
    Grant,
    Layer,
    PartitionedJob,
    Registry,
    SyncFunctions,
    job_kinds_of,
)

_TASK = frozenset({Grant.DATABASE, Grant.READ_DATA, Grant.WRITE_DATA})
"""The grants of a long task: read and write its county's rows and objects."""


_TWO_CORES_MB = 3538


def _api(
    module: str,
    *grants: Grant,
    layers: tuple[Layer, ...] = (Layer.CORE,),
    memory_mb: int = 1024,
    starts: tuple[str, ...] = (),
) -> FunctionSpec:
    """The function of a module's routes. API Gateway waits 29 seconds for an answer, so it does too."""
    return FunctionSpec(
        module.replace("_", "-"),
        f"functions.{module}.handler.handler",
        frozenset(grants),
        layers,
        memory_mb,
        timeout_s=29,
        starts=starts,
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


_TYPESETTING = ("shared.typesetting.process",)


def _notice_task(step: str, *layers: Layer, starts: tuple[str, ...] = ()) -> FunctionSpec:
    """The function of one of the steps of a batch of notices."""
    return FunctionSpec(
        f"notices-{step.replace('_', '-')}",
        f"functions.notices.tasks.{step}.handler",
        _TASK,
        (Layer.CORE, *layers),
        memory_mb=1769,
        timeout_s=900,
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
"""The grants of routes of long tasks: to submit a job, and to hand out what it found."""


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
        _api("schedules", Grant.DATABASE, Grant.SCHEDULE_JOBS),
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
        _api("roll", *_JOBS, Grant.WRITE_DATA),
        _api("ratio_study", *_JOBS, layers=(Layer.CORE, Layer.LEARN), memory_mb=1769),
        _api("sales_validation", *_JOBS, Grant.WRITE_DATA),
        _api("market_analysis", *_JOBS, Grant.WRITE_DATA, layers=(Layer.CORE, Layer.FRAMES)),
        _api("reporting", *_JOBS),
        _api("notices", *_JOBS, Grant.WRITE_DATA, layers=(Layer.CORE, Layer.DOCUMENTS), starts=_TYPESETTING),
        _api("appeals", Grant.DATABASE, Grant.PUBLISH_EVENTS, *_DATA),
        _api("uploads", *_JOBS, Grant.WRITE_DATA),
        _api("gis_export", *_JOBS, layers=(Layer.CORE, Layer.GEO, Layer.FILTERS)),
        _api("districts", *_JOBS, layers=(Layer.CORE, Layer.GEO)),
        _api("features", Grant.DATABASE, layers=(Layer.CORE, Layer.GEO, Layer.FILTERS), memory_mb=1769),
        _api("exemptions", Grant.DATABASE, *_DATA),
        _api("state_submissions", *_JOBS),
        _api("write_back", *_JOBS, layers=(Layer.CORE, Layer.FRAMES)),
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
        _job("roll"),
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
        _job("state_submissions", Layer.DOCUMENTS),
        FunctionSpec(
            "write-back-task",
            "functions.write_back.tasks.handler",
            _TASK | {Grant.SOURCE_SECRETS},
            _SYNC_LAYERS,
            memory_mb=1769,
            timeout_s=900,
            job_kinds=job_kinds_of("functions.write_back"),
            scratch_mb=2048,  # a script of a million rows has some 400 MB, and a file of the source is unpacked
        ),
        _job(
            "gis_export",
            Layer.GEO,
            Layer.FILTERS,
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
        PartitionedJob(
            job_kinds_of("functions.notices")[0],
            plan=_notice_task("prepare_batch"),
            partition=_notice_task("typeset_file", Layer.DOCUMENTS, starts=_TYPESETTING),
            finish=_notice_task("send_batch"),
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
    seal_audit_trails=FunctionSpec(
        "audit-seal",
        "functions.audit.tasks.seal",
        _TASK,
        timeout_s=900,  # 4 ms a county without new events
    ),
    start_scheduled_job=FunctionSpec(
        "schedules-start",
        "functions.schedules.tasks.start",
        frozenset({Grant.DATABASE, Grant.RUN_JOBS, Grant.READ_USERS}),
        memory_mb=512,
        timeout_s=60,
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
