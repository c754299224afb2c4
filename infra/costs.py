"""Monthly costs of a stage, from its templates and the price list. `python -m infra.costs` writes the page's table."""

import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from infra.application import synthesize_templates
from infra.documentation import with_sections
from infra.prices import HOURS_A_MONTH, aurora_prices, prices
from infra.settings import DEVELOPMENT, PRODUCTION, ROOT

PAGE = ROOT / "infra/README.md"
Template = Mapping[str, Any]
Costs = dict[str, float]

REQUESTS_A_USER = 22 * 400
"""A month's requests of a user. A choice: 22 days of a map, lists and some hundred parcels."""
REQUEST_SECONDS = 0.1
"""Of a function, a request: the p99 of a read under load is of that order (`tests/benchmarks/README.md`)."""
LOG_BYTES_A_REQUEST = 2_000
"""Of gateway and function, by their lines' lengths."""
DATABASE_BYTES_A_PARCEL = 10_000
"""With sales, values, history and indexes: a choice of that order."""
OBJECT_BYTES_A_PARCEL = 20_000
"""Of the raw archive and curated files after some years: a choice of that order."""
NIGHTLY_SYNC_A_PARCEL = 2.3e-9
"""Of a night without changes: the page's table of a run's costs."""
WORKING_HOURS = 176
RESUMED_ACU = 0.5
"""Capacity at which a paused database wakes."""
TRACED_SHARE = 0.05
"""X-Ray's default: the first request a second, and a twentieth of the others."""


@dataclass(frozen=True)
class CountySize:
    """A county's parcels and users; `working_acu`: capacity above the least in working hours, a choice."""

    name: str
    parcels: int
    users: int
    working_acu: float


COUNTY_SIZES = (
    CountySize("small", 25_000, 10, 0.1),
    CountySize("medium", 150_000, 40, 1.5),
    CountySize("large", 1_000_000, 200, 8),
)


def read_templates(folder: Path) -> list[Template]:
    """The templates of an assembly's folder."""
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.template.json"))]


def idle_costs(templates: Sequence[Template]) -> Costs:
    """Costs of a stage that nobody uses; private lines and a backup elsewhere are options, and not among them."""
    price = prices()
    gateways = len(list(_properties(templates, "AWS::EC2::NatGateway")))
    rules = sum(len(acl["Rules"]) for acl in _properties(templates, "AWS::WAFv2::WebACL"))
    alarms = sum(map(_alarm_metrics, _properties(templates, "AWS::CloudWatch::Alarm")))
    metrics = len(list(_properties(templates, "AWS::Logs::MetricFilter")))
    return {
        "database": _idle_acu(templates) * _aurora(templates)["acu_hour"] * HOURS_A_MONTH,
        "NAT gateways, with their addresses": gateways
        * (price["nat_gateway_hour"] + price["public_ipv4_hour"])
        * HOURS_A_MONTH,
        "firewall": price["waf_acl_month"] + rules * price["waf_rule_month"],
        "alarms, dashboard, metrics": alarms * price["alarm_metric_month"]
        + price["dashboard_month"]
        + metrics * price["custom_metric_month"],
        "secrets and keys": len(list(_properties(templates, "AWS::SecretsManager::Secret"))) * price["secret_month"]
        + len(list(_properties(templates, "AWS::KMS::Key"))) * price["kms_key_month"],
        "snapshots of functions": _snapshot_gb(templates) * price["lambda_snapshot_gb_second"] * HOURS_A_MONTH * 3600,
    }


def county_costs(size: CountySize, templates: Sequence[Template]) -> Costs:
    """Costs that a county adds to those of an idle stage."""
    price, aurora = prices(), _aurora(templates)
    requests = size.users * REQUESTS_A_USER
    instances = len(list(_properties(templates, "AWS::RDS::DBInstance")))
    return {
        "database": size.working_acu * WORKING_HOURS * instances * aurora["acu_hour"]
        + size.parcels * DATABASE_BYTES_A_PARCEL / 2**30 * aurora["storage_gb_month"],
        "requests": requests
        / 1e6
        * (
            price["api_million_requests"]
            + price["waf_million_requests"]
            + price["lambda_million_requests"]
            + price["xray_million_traces"] * TRACED_SHARE
        )
        + requests * REQUEST_SECONDS * price["lambda_arm64_gb_second"]
        + requests * LOG_BYTES_A_REQUEST / 2**30 * price["log_gb"],
        "nightly syncs": 30 * size.parcels * NIGHTLY_SYNC_A_PARCEL,
        "objects": size.parcels * OBJECT_BYTES_A_PARCEL / 2**30 * price["s3_gb_month"],
        "users": size.users * price["cognito_user_month"],
    }


def cost_table(development: Sequence[Template], production: Sequence[Template]) -> str:
    """The page's table: two stages that nobody uses, and production with one county of each size."""
    columns = {"`dev`, idle": idle_costs(development), "production, idle": idle_costs(production)}
    for size in COUNTY_SIZES:
        added = county_costs(size, production)
        title = f"with a {size.name} county: {size.parcels:,} parcels, {size.users} users"
        idle = columns["production, idle"]
        columns[title] = {name: idle.get(name, 0) + added.get(name, 0) for name in {**idle, **added}}
    names = list(dict.fromkeys(name for costs in columns.values() for name in costs))
    rows = [f"| US dollars a month | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    rows += [f"| {name} | {' | '.join(_dollars(costs.get(name, 0)) for costs in columns.values())} |" for name in names]
    total = " | ".join(f"**{_dollars(sum(costs.values()))}**" for costs in columns.values())
    price, storage = prices(), _storage_type(production) or "Standard"
    head = f"{price['source']}; {price['region']}, {price['as_of']}, Aurora {storage}."
    return "\n".join((head, "", *rows, f"| **all** | {total} |"))


def _dollars(value: float) -> str:
    if value >= 10:
        return f"{value:,.0f}"
    return f"{value:.2f}" if value >= 0.005 else "under 0.01" if value else "0"


def _properties(templates: Sequence[Template], kind: str) -> Iterator[dict[str, Any]]:
    for template in templates:
        for resource in template["Resources"].values():
            if resource["Type"] == kind:
                yield resource.get("Properties", {})


def _cluster(templates: Sequence[Template]) -> dict[str, Any]:
    (cluster,) = _properties(templates, "AWS::RDS::DBCluster")
    return cluster


def _storage_type(templates: Sequence[Template]) -> str:
    return str(_cluster(templates).get("StorageType", ""))


def _aurora(templates: Sequence[Template]) -> dict[str, float]:
    return aurora_prices(_storage_type(templates))


def _idle_acu(templates: Sequence[Template]) -> float:
    """Mean capacity while nobody works. A database that pauses is awake, at each tick, until it pauses again."""
    scaling = _cluster(templates)["ServerlessV2ScalingConfiguration"]
    instances = len(list(_properties(templates, "AWS::RDS::DBInstance")))
    if scaling["MinCapacity"]:
        return float(scaling["MinCapacity"]) * instances
    schedules = _properties(templates, "AWS::Scheduler::Schedule")
    ticks_a_minute = sum(1 / _interval_minutes(schedule["ScheduleExpression"]) for schedule in schedules)
    return RESUMED_ACU * instances * float(scaling["SecondsUntilAutoPause"]) / 60 * ticks_a_minute


def _interval_minutes(rate: str) -> int:
    found = re.fullmatch(r"rate\((\d+) minutes\)", rate)
    if found is None:
        raise ValueError(f"no interval in minutes: {rate}")
    return int(found[1])


def _alarm_metrics(alarm: Mapping[str, Any]) -> int:
    return sum("MetricStat" in metric for metric in alarm.get("Metrics", [])) or 1


def _snapshot_gb(templates: Sequence[Template]) -> float:
    functions = _properties(templates, "AWS::Lambda::Function")
    return sum(float(function["MemorySize"]) / 1024 for function in functions if "SnapStart" in function)


def main() -> None:
    """Write the page's table anew."""
    with tempfile.TemporaryDirectory() as folder:
        development, production = (
            read_templates(synthesize_templates(Path(folder) / stage.name, stage))
            for stage in (DEVELOPMENT, replace(PRODUCTION, alarm_email="it@example.gov"))
        )
    PAGE.write_text(with_sections(PAGE.read_text(), {"costs": lambda: cost_table(development, production)}))


if __name__ == "__main__":
    main()
