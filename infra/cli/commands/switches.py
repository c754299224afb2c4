"""`terrafusion pause` and `unpause`: kill switches of a deployed stage, which need no deployment.

A paused function has a reserved concurrency of 0, so Lambda starts it for nobody: a request is answered 500, and a
machine waits for it (`infra/constructs/steps.py`). What was reserved before is kept in a tag of the function.
"""

from collections.abc import Iterator

import typer

from infra.cli.deployed_stage import DeployedStage, StageName
from infra.cli.errors import CommandError
from infra.cli.session import console
from infra.function_specs import FunctionSpec
from infra.functions import REGISTRY

PAUSED_TAG = "terrafusion:reserved-before-pause"
_NONE = "none"

GROUPS: dict[str, tuple[FunctionSpec, ...]] = {
    "syncs": (REGISTRY.sync.plan,),
    "jobs": (*REGISTRY.jobs, *(job.plan for job in REGISTRY.partitioned_jobs)),
    "api": tuple(spec for spec in REGISTRY.api if spec.name not in ("auth", "platform")),
}
"""Functions that are paused together: no sync begins, no job begins, the API answers health and sign-in alone."""

Names = typer.Argument(None, metavar="NAME...", help=f"Functions by their names, or {', '.join(GROUPS)}.")
County = typer.Option(None, "--county", help="A county's schedules: its syncs begin no more by themselves.")


def pause(stage: str = StageName, names: list[str] | None = Names, county: str | None = County) -> None:
    """Stop functions, or a county's schedules, of a deployed STAGE."""
    deployed = DeployedStage(stage)
    for function in _functions(names, county):
        _pause(deployed, function)
    if county:
        _set_schedules(deployed, county, "DISABLED")


def unpause(stage: str = StageName, names: list[str] | None = Names, county: str | None = County) -> None:
    """Let paused functions, or a county's schedules, run again."""
    deployed = DeployedStage(stage)
    for function in _functions(names, county):
        _unpause(deployed, function)
    if county:
        _set_schedules(deployed, county, "ENABLED")


def _functions(names: list[str] | None, county: str | None) -> Iterator[str]:
    if not names and not county:
        raise CommandError(f"name functions, {', '.join(GROUPS)}, or --county")
    known = {spec.name for spec in REGISTRY}
    for name in names or ():
        if name not in GROUPS and name not in known:
            raise CommandError(f"no function {name}: there are {', '.join(sorted(known))}, and {', '.join(GROUPS)}")
        yield from (spec.name for spec in GROUPS[name]) if name in GROUPS else (name,)


def _pause(deployed: DeployedStage, function: str) -> None:
    client, name = deployed.client("lambda"), deployed.physical_name(function)
    arn = client.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    if PAUSED_TAG not in client.list_tags(Resource=arn)["Tags"]:
        reserved = client.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions", _NONE)
        client.tag_resource(Resource=arn, Tags={PAUSED_TAG: str(reserved)})
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    console().print(f"{function} is paused")


def _unpause(deployed: DeployedStage, function: str) -> None:
    client, name = deployed.client("lambda"), deployed.physical_name(function)
    arn = client.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    reserved = client.list_tags(Resource=arn)["Tags"].get(PAUSED_TAG)
    if reserved is None:
        console().print(f"{function} was not paused")
        return
    if reserved == _NONE:
        client.delete_function_concurrency(FunctionName=name)
    else:
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=int(reserved))
    client.untag_resource(Resource=arn, TagKeys=[PAUSED_TAG])
    console().print(f"{function} runs again")


_SCHEDULE_FIELDS = (
    *("Name", "GroupName", "ScheduleExpression", "ScheduleExpressionTimezone", "FlexibleTimeWindow", "Target"),
    *("Description", "StartDate", "EndDate"),
)


def _set_schedules(deployed: DeployedStage, county: str, state: str) -> None:
    scheduler, group = deployed.client("scheduler"), deployed.physical_name("syncs")
    pages = scheduler.get_paginator("list_schedules").paginate(GroupName=group, NamePrefix=county)
    names = [s["Name"] for page in pages for s in page["Schedules"] if s["Name"].partition(".")[0] == county]
    for name in names:
        schedule = scheduler.get_schedule(GroupName=group, Name=name)
        kept = {field: schedule[field] for field in _SCHEDULE_FIELDS if field in schedule}
        scheduler.update_schedule(**kept, State=state)
    done = "disabled" if state == "DISABLED" else "enabled"
    console().print(f"{len(names)} schedules of {county} are {done}")
