"""Alarms reach a person, and the dashboard shows what the platform does."""

import json
import re
from pathlib import Path

from tests.infrastructure.assembly import Templates, listed
from tests.infrastructure.conftest import BOTH_STAGES


def test_every_alarm_notifies_the_topic(templates: Templates) -> None:
    topic = templates.one("AWS::SNS::Topic").logical_id
    alarms = list(templates.resources("AWS::CloudWatch::Alarm"))
    described = {alarm.properties["AlarmName"] for alarm in alarms}

    assert {f"terrafusion-dev-{n}" for n in ("ApiErrors", "SyncFailed", "JobsFailed", "DatabaseFull")} <= described
    for alarm in alarms:
        assert alarm.properties["AlarmActions"] == [{"Ref": topic}], alarm.logical_id


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

    assert len(queues) == len(watched) == 2
    assert set(kept) == set(failed) == set(queues)
    assert all(queue["MessageRetentionPeriod"] == 14 * 24 * 3600 for queue in queues.values())


def test_the_alarms_of_this_account_and_no_others_may_publish_to_the_topic(templates: Templates) -> None:
    statements = templates.one("AWS::SNS::TopicPolicy").properties["PolicyDocument"]["Statement"]
    (allowed,) = [s for s in statements if s["Effect"] == "Allow" and "sns:Publish" in listed(s["Action"])]

    assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allowed["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_a_run_that_times_out_or_is_aborted_raises_the_alarm_of_one_that_failed(templates: Templates) -> None:
    for machine in ("Sync", "Jobs"):
        (alarm,) = [
            a
            for a in templates.resources("AWS::CloudWatch::Alarm")
            if a.properties["AlarmName"] == f"terrafusion-dev-{machine}Failed"
        ]
        counted = {
            metric["MetricStat"]["Metric"]["MetricName"]
            for metric in alarm.properties["Metrics"]
            if "MetricStat" in metric
        }
        assert counted == {"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"}


def test_every_function_has_an_alarm_those_of_the_sign_in_and_the_migration_too(templates: Templates) -> None:
    watched = {
        alarm.properties["Dimensions"][0]["Value"].get("Fn::GetStackOutput", {}).get("OutputName")
        or str(alarm.properties["Dimensions"][0]["Value"])
        for alarm in templates.resources("AWS::CloudWatch::Alarm")
        if alarm.properties.get("MetricName") == "Errors"
    }

    assert len(watched) == len(templates.functions())


def test_the_stages_address_is_subscribed_to_the_alarms(deployed: Path) -> None:
    subscription = Templates(deployed / "assembly-prod", "prod").one("AWS::SNS::Subscription").properties

    assert subscription["Protocol"] == "email"
    assert subscription["Endpoint"] == BOTH_STAGES["prod"]["alarm_email"]


def test_the_dashboard_shows_the_platforms_own_metrics_of_jobs_and_rows(templates: Templates) -> None:
    body = json.dumps(templates.one("AWS::CloudWatch::Dashboard").properties["DashboardBody"])

    for metric in ("JobsSucceeded", "JobsFailed", "RowsRead", "RowsRejected"):
        assert re.search(rf"\{{TerraFusion,service(,kind)?\}} MetricName=[^A-Z]*{metric}", body), metric
