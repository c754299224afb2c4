"""The CDK app: stages, and the order of their stacks."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from aws_cdk import App, DefaultStackSynthesizer, Environment, Stage, Tags
from constructs import Construct

from infra.constructs.platform import Platform
from infra.function_specs import FunctionSpec, Registry
from infra.functions import REGISTRY
from infra.settings import DEVELOPMENT, ROOT, StageSettings, configured_stages
from infra.stacks.api import ApiStack
from infra.stacks.data import DataStack
from infra.stacks.identity import IdentityStack
from infra.stacks.jobs import JobsStack
from infra.stacks.network import NetworkStack
from infra.stacks.observability import ObservabilityStack
from infra.stacks.sync import SyncStack
from infra.stacks.webhooks import WebhooksStack

_NO_BUNDLES: Mapping[str, Any] = {"aws:cdk:bundling-stacks": []}


def project_context() -> dict[str, Any]:
    """The context of cdk.json, which that of the CDK's command line overrides."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return context


def build_app(
    context: Mapping[str, Any],
    stages: Sequence[StageSettings] | None = None,
    registry: Registry = REGISTRY,
    outdir: str | None = None,
    *,
    validate: bool = True,
) -> App:
    """The app with `stages`, by default those that the context names. `synth()` needs no network and no credentials.

    The templates lie in `<outdir>/assembly-<stage>/`; `outdir` is by default what the CDK's command line asks for.
    `validate` checks them against CloudFormation's rules, which takes longer than making them.
    """
    app = App(context=dict(context), outdir=outdir, builtin_cloud_formation_validation=validate)
    for settings in configured_stages(app.node.get_context("stages")) if stages is None else stages:
        TerraFusion(app, settings, registry)
    return app


def synthesize_templates(outdir: Path, settings: StageSettings = DEVELOPMENT) -> Path:
    """Write one stage's templates, without assets or validation, for those who only read them (tests, the local
    cloud). Returns the folder that holds `*.template.json`, one a stack."""
    build_app({**project_context(), **_NO_BUNDLES}, (settings,), outdir=str(outdir), validate=False).synth()
    return outdir / f"assembly-{settings.name}"


class TerraFusion(Stage):
    """One stage: the whole platform, each stack after what it needs."""

    def __init__(self, scope: Construct, settings: StageSettings, registry: Registry) -> None:
        super().__init__(scope, settings.name, env=Environment(account=settings.account, region=settings.region))
        _require_functions(settings, "reserved_concurrency", settings.reserved_concurrency, registry)
        # what is called by its alias: a snapshot is of a published version
        _require_functions(
            settings, "snap_start", settings.snap_start, (*registry.api, registry.pre_token, registry.authorizer)
        )
        platform = Platform(settings)

        def options(name: str) -> dict[str, Any]:
            return {
                "stack_name": settings.physical_name(name.lower()),
                "description": f"TerraFusion, stage {settings.name}: {name.lower()}",
                "synthesizer": DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
                "termination_protection": settings.production,
            }

        NetworkStack(self, "Network", platform, **options("Network"))
        data = DataStack(self, "Data", platform, registry.migrations, **options("Data"))
        identity = IdentityStack(self, "Identity", platform, registry.pre_token, **options("Identity"))
        sync = SyncStack(self, "Sync", platform, registry.sync, data.bucket.bucket, **options("Sync"))
        jobs = JobsStack(
            self,
            "Jobs",
            platform,
            registry.jobs,
            registry.partitioned_jobs,
            registry.settle_job,
            registry.index_addresses,
            registry.seal_audit_trails,
            registry.start_scheduled_job,
            data.bus,
            data.bucket.bucket,
            **options("Jobs"),
        )
        webhooks = WebhooksStack(
            self,
            "Webhooks",
            platform,
            registry.webhook_dispatch,
            registry.webhook_attempt,
            (sync.machine, jobs.machine),
            **options("Webhooks"),
        )
        api = ApiStack(self, "Api", platform, registry.api, registry.authorizer, identity.pool, **options("Api"))
        ObservabilityStack(
            self,
            "Observability",
            platform,
            api=api.api,
            database=data.database.cluster,
            machines={"Sync": sync.machine, "Jobs": jobs.machine, "Webhooks": webhooks.machine},
            functions=[
                *data.functions,
                *identity.functions,
                *sync.functions,
                *jobs.functions,
                *webhooks.functions,
                *api.functions,
            ],
            unheard=[
                *data.functions,
                *identity.functions,
                sync.fail,
                jobs.settle,
                jobs.index_addresses,
                jobs.seal_audit_trails,
                jobs.start_scheduled_job,
                webhooks.dispatch,
            ],
            access_log=api.access_log,
            freshness=registry.freshness,
            schedule_group=sync.schedule_group.ref,
            dead_letters={
                "Sync": sync.dead_letters.queue,
                "Jobs": jobs.dead_letters.queue,
                "Webhooks": webhooks.dead_letters.queue,
            },
            **options("Observability"),
        )
        # The migration is part of the data stack: no code of a later stack runs before it.
        for later in (sync, jobs, webhooks, api):
            later.add_stack_dependency(data)
        Tags.of(self).add("project", "terrafusion")
        Tags.of(self).add("stage", settings.name)


def _require_functions(
    settings: StageSettings, option: str, names: Iterable[str], functions: Iterable[FunctionSpec]
) -> None:
    unknown = sorted(set(names) - {spec.name for spec in functions})
    if unknown:
        raise ValueError(f"cdk.json, stages.{settings.name}.{option}: no function {', '.join(unknown)}")
