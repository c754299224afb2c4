"""Alarms reach a person and lead to what is to be done; objectives are watched; the dashboard shows the platform."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from infra.functions import REGISTRY
from infra.settings import ROOT
from infra.slos import SLOS, Slo
from infra.stacks.observability import TRACED_SHARE
from tests.infrastructure.assembly import Resource, Templates, access_log_line, listed
from tests.infrastructure.conftest import BOTH_STAGES

PREFIX = "terrafusion-dev-"
MAX_METRICS = 10
"""Of an alarm on a metric math expression (CloudWatch service quotas)."""


def _alarms(templates: Templates) -> dict[str, Resource]:
    """Alarms and composite alarms, by name."""
    alarms = [*templates.resources("AWS::CloudWatch::Alarm"), *templates.resources("AWS::CloudWatch::CompositeAlarm")]
    return {str(alarm.properties["AlarmName"]).removeprefix(PREFIX): alarm for alarm in alarms}


def _parts(composite: Resource) -> Iterator[str]:
    """The logical ids of the alarms that a composite alarm is made of."""
    for part in composite.properties["AlarmRule"]["Fn::Join"][1]:
        if isinstance(part, dict):
            yield part["Fn::GetAtt"][0]


def _metrics(alarm: Resource) -> list[dict[str, Any]]:
    """The metrics of an alarm on an expression."""
    return [m["MetricStat"]["Metric"] for m in alarm.properties["Metrics"] if "MetricStat" in m]


def test_every_alarm_notifies_the_topic_or_is_part_of_one_that_does(templates: Templates) -> None:
    topic = templates.one("AWS::SNS::Topic").logical_id
    alarms = _alarms(templates)
    parts = {p for a in alarms.values() if a.type.endswith("CompositeAlarm") for p in _parts(a)}

    assert {"ApiErrors", "SyncFailed", "JobsFailed", "DatabaseFull", "CountyLate"} <= alarms.keys()
    for name, alarm in alarms.items():
        if alarm.logical_id in parts:
            assert "AlarmActions" not in alarm.properties, name
        else:
            assert alarm.properties["AlarmActions"] == alarm.properties["OKActions"] == [{"Ref": topic}], name


def test_every_alarm_names_a_runbook_and_every_runbook_has_an_alarm(templates: Templates) -> None:
    page = ROOT / "infra/RUNBOOKS.md"
    sections = {title.lower() for title in re.findall(r"^## (\w+)$", page.read_text(), re.MULTILINE)}
    named = set()
    for name, alarm in _alarms(templates).items():
        runbook = re.search(r"Runbook: infra/RUNBOOKS\.md#(\w+)$", alarm.properties["AlarmDescription"])
        assert runbook, name
        named.add(runbook[1])

    assert named == sections


@pytest.mark.parametrize("slo", SLOS, ids=lambda slo: slo.name)
def test_an_objective_has_burn_rate_alarms_of_a_long_and_a_short_window(slo: Slo, templates: Templates) -> None:
    alarms = _alarms(templates)
    by_id = {alarm.logical_id: alarm for alarm in alarms.values()}
    for windows in slo.windows:
        composite = alarms[f"{slo.name}{windows.name}Burn"]
        parts = [by_id[part] for part in _parts(composite)]
        text = "".join(p for p in composite.properties["AlarmRule"]["Fn::Join"][1] if isinstance(p, str))
        assert re.fullmatch(r'\(ALARM\(""\) AND ALARM\(""\)\)', text)
        periods = {metric["MetricStat"]["Period"] for part in parts for metric in part.properties["Metrics"][1:]}
        assert periods == {60 * windows.long_minutes, 60 * windows.short_minutes}
        for part in parts:
            assert part.properties["Threshold"] == windows.burn_rate
            (expression,) = [m["Expression"] for m in part.properties["Metrics"] if "Expression" in m]
            assert f"/ {slo.budget:g}, 0)" in expression
            names = {metric["MetricName"] for metric in _metrics(part)}
            assert names == {metric.name for metric in (*slo.bad, *slo.total)}


def test_what_an_objective_counts_is_recorded_for_each_stage_apart(deployed: Path) -> None:
    for stage in ("dev", "prod"):
        templates = Templates(deployed / f"assembly-{stage}", stage)
        used = {m["Namespace"] for a in templates.resources("AWS::CloudWatch::Alarm") if "Metrics" in a.properties
                for m in _metrics(a)}  # fmt: skip
        filtered = {
            transformation["MetricNamespace"]
            for each in templates.resources("AWS::Logs::MetricFilter")
            for transformation in each.properties["MetricTransformations"]
        }
        assert {namespace for namespace in used if not namespace.startswith("AWS/")} == filtered
        assert filtered == {f"TerraFusion/{stage}"}


def test_numbers_that_filters_compare_are_numbers_in_the_gateways_log(templates: Templates) -> None:
    written = templates.one("AWS::ApiGateway::Stage").properties["AccessLogSetting"]["Format"]
    line = access_log_line(written)

    for each in templates.resources("AWS::Logs::MetricFilter"):
        pattern = each.properties["FilterPattern"]
        assert set(re.findall(r"\$\.(\w+)", pattern)) <= line.keys()
        for name in re.findall(r"\$\.(\w+) [<>]", pattern):
            assert line[name] == 1, name
        values = [t["MetricValue"] for t in each.properties["MetricTransformations"]]
        assert all(value == "1" or line[value.removeprefix("$.")] == 1 for value in values)


def test_what_cannot_be_delivered_is_kept_for_two_weeks_and_raises_an_alarm(templates: Templates) -> None:
    queues = {(queue.stack, queue.logical_id): queue.properties for queue in templates.resources("AWS::SQS::Queue")}
    kept = [
        (rule.stack, target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0])
        for rule in templates.resources("AWS::Events::Rule")
        for target in rule.properties["Targets"]
    ]
    failed = [
        (config.stack, config.properties["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0])
        for config in templates.resources("AWS::Lambda::EventInvokeConfig")
    ]
    watched = [
        alarm
        for alarm in templates.resources("AWS::CloudWatch::Alarm")
        if alarm.properties.get("MetricName") == "ApproximateNumberOfMessagesVisible"
    ]

    assert len(queues) == len(watched) == 3
    assert set(kept) == set(failed) == set(queues)
    assert all(queue["MessageRetentionPeriod"] == 14 * 24 * 3600 for queue in queues.values())


def test_the_alarms_of_this_account_and_no_others_may_publish_to_the_topic(templates: Templates) -> None:
    statements = templates.one("AWS::SNS::TopicPolicy").properties["PolicyDocument"]["Statement"]
    (allowed,) = [s for s in statements if s["Effect"] == "Allow" and "sns:Publish" in listed(s["Action"])]

    assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allowed["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_a_run_that_times_out_or_is_aborted_raises_the_alarm_of_one_that_failed(templates: Templates) -> None:
    for machine in ("Sync", "Jobs", "Webhooks"):
        counted = {metric["MetricName"] for metric in _metrics(_alarms(templates)[f"{machine}Failed"])}
        assert counted == {"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"}


def test_every_function_has_an_alarm_those_of_the_sign_in_and_the_migration_too(templates: Templates) -> None:
    """A function of the API fails as a 5xx, a task with its run, and any other is watched itself."""
    watched = [json.dumps(metric["Dimensions"]) for metric in _metrics(_alarms(templates)["FunctionErrors"])]
    machines = json.dumps([templates.definition(stack) for stack in ("Sync", "Jobs", "Webhooks")])
    expected_names = {spec.name for spec in (*REGISTRY.api, REGISTRY.authorizer)} | {
        name for name in templates.functions() if f'{PREFIX}{name}"' in machines and name != "sync-fail"
    }
    unheard = templates.functions().keys() - expected_names

    assert len(watched) == len(unheard) <= MAX_METRICS
    for name in unheard:
        construct = next(spec.construct_id for spec in REGISTRY if spec.name == name)
        assert any(construct in dimensions for dimensions in watched), name


def test_an_alarm_has_no_more_metrics_than_cloudwatch_takes(templates: Templates) -> None:
    for alarm in templates.resources("AWS::CloudWatch::Alarm"):
        assert len(alarm.properties.get("Metrics", [])) <= MAX_METRICS, alarm.logical_id


def test_a_clock_of_its_own_measures_the_counties_data_and_its_silence_is_an_alarm(
    templates: Templates, deployed: Path
) -> None:
    production = Templates(deployed / "assembly-prod", "prod")
    schedule = _clock(production, "freshness")
    silence = _alarms(templates)["FreshnessUnknown"].properties

    assert schedule["ScheduleExpression"] == "rate(15 minutes)"
    assert _clock(templates, "freshness")["ScheduleExpression"] == "rate(60 minutes)", (
        "each measurement wakes a database that pauses"
    )
    assert "GroupName" not in schedule, "the counties' group is for their own"
    assert silence["TreatMissingData"] == "breaching"


def test_a_clock_seals_the_audit_trails(templates: Templates, deployed: Path) -> None:
    production = Templates(deployed / "assembly-prod", "prod")
    assert _clock(production, "audit-seal")["ScheduleExpression"] == "rate(5 minutes)"
    assert _clock(templates, "audit-seal")["ScheduleExpression"] == "rate(360 minutes)"


def _clock(templates: Templates, function: str) -> Mapping[str, Any]:
    """The properties of the schedule that calls a function."""
    schedules = (each.properties for each in templates.resources("AWS::Scheduler::Schedule"))
    (clock,) = (each for each in schedules if str(each["Name"]).endswith(function))
    return clock


def test_the_stages_address_is_subscribed_to_the_alarms(deployed: Path) -> None:
    subscription = Templates(deployed / "assembly-prod", "prod").one("AWS::SNS::Subscription").properties

    assert subscription["Protocol"] == "email"
    assert subscription["Endpoint"] == BOTH_STAGES["prod"]["alarm_email"]


def test_the_dashboard_shows_the_platforms_own_metrics_of_jobs_and_rows(templates: Templates) -> None:
    body = json.dumps(templates.one("AWS::CloudWatch::Dashboard").properties["DashboardBody"])

    for metric in ("JobsSucceeded", "JobsFailed", "RowsRead", "RowsRejected"):
        assert re.search(rf"\{{TerraFusion/dev,service(,kind)?\}} MetricName=[^A-Z]*{metric}", body), metric


def test_the_dashboard_shows_every_objective_and_what_each_county_does(templates: Templates) -> None:
    body = json.dumps(templates.one("AWS::CloudWatch::Dashboard").properties["DashboardBody"])

    for slo in SLOS:
        assert slo.promise in body
    assert body.count("by county_id") == 3


def test_a_stage_traces_the_first_request_of_a_second_and_a_twentieth_of_the_others(templates: Templates) -> None:
    rule = templates.one("AWS::XRay::SamplingRule").properties["SamplingRule"]

    assert (rule["ReservoirSize"], rule["FixedRate"]) == (1, TRACED_SHARE)
    assert (
        rule["ServiceName"] == "terrafusion-dev-api/dev"
    )  # as API Gateway's segments are called: its name / its stage
    assert len(rule["RuleName"]) <= 32
