"""The observability stack: objectives, alarms, their topic, and a dashboard."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk.aws_apigateway import SpecRestApi
from aws_cdk.aws_budgets import CfnBudget
from aws_cdk.aws_cloudwatch import (
    AlarmStatusWidget,
    Dashboard,
    GraphWidget,
    HorizontalAnnotation,
    IMetric,
    LogQueryWidget,
    MathExpression,
    Metric,
    SingleValueWidget,
    TreatMissingData,
)
from aws_cdk.aws_lambda import IFunction
from aws_cdk.aws_logs import FilterPattern, ILogGroup, MetricFilter
from aws_cdk.aws_rds import DatabaseCluster
from aws_cdk.aws_sqs import IQueue
from aws_cdk.aws_stepfunctions import IStateMachine
from aws_cdk.aws_xray import CfnSamplingRule
from constructs import Construct

from infra.constructs.alarms import Alarms, attained, own_metric
from infra.constructs.clocked_function import ClockedFunction
from infra.constructs.platform import Platform
from infra.function_specs import FunctionSpec
from infra.slos import BUDGET_DAYS, READ_LIMIT_MS, REQUEST_METRICS, SLOS
from infra.slos import Metric as OwnMetric
from shared.metrics import namespace

TRACED_SHARE = 0.05
"""Share of requests that are traced, beside the first of each second. X-Ray's default; a million traces
are five dollars."""
_FIVE_MINUTES = Duration.minutes(5)
_COUNTY_QUERIES = {
    "Age of the last good sync by county (hours)": (
        "filter ispresent(GoodSyncAge.0) | stats latest(GoodSyncAge.0) / 3600 as hours by county_id | sort hours desc"
    ),
    "Jobs by county": (
        "filter ispresent(JobSeconds.0) | stats sum(JobsSucceeded.0) as succeeded, sum(JobsFailed.0) as failed,"
        " sum(JobsFailedByPlatform.0) as by_platform, sum(JobSeconds.0) as seconds by county_id | sort seconds desc"
    ),
}
"""Queries of what metrics have as a property of their log lines: counties are no dimension, which would be paid for."""
_REQUESTS_BY_COUNTY = (
    "parse path '/v1/counties/*/*' as county_id, rest | filter ispresent(county_id)"
    " | stats count(*) as requests, pct(milliseconds, 99) as p99, sum(status = 429) as limited by county_id"
    " | sort requests desc"
)


class ObservabilityStack(Stack):
    """Objectives, alarms and dashboard. A stage's `alarm_email` is subscribed to the alarms."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        platform: Platform,
        *,
        api: SpecRestApi,
        access_log: ILogGroup,
        database: DatabaseCluster,
        machines: dict[str, IStateMachine],
        functions: Sequence[IFunction],
        unheard: Sequence[IFunction],
        freshness: FunctionSpec,
        schedule_group: str,
        dead_letters: Mapping[str, IQueue],
        **kwargs: Any,
    ) -> None:
        """Watch a stage.

        - `api`, `access_log`: the gateway, and the log that the objectives of requests are counted in
        - `database`: the cluster
        - `machines`: the state machines, by name
        - `functions`: all functions, for the dashboard
        - `unheard`: those whose errors neither the API nor a machine reports
        - `freshness`: the function that measures the age of each county's last good sync
        - `schedule_group`: the group of the counties' schedules
        - `dead_letters`: queues of what could not be delivered, by the machine's name
        """
        super().__init__(scope, construct_id, **kwargs)
        self._settings = platform.settings
        self._alarms = Alarms(self, platform.settings)
        self._dashboard = Dashboard(
            self,
            "Dashboard",
            dashboard_name=platform.settings.physical_name("overview"),
            default_interval=Duration.days(BUDGET_DAYS),
        )
        measuring = ClockedFunction(
            self,
            "Clock",
            freshness,
            platform,
            minutes=platform.settings.freshness_interval_minutes,
            description="Measures the age of each county's last good sync",
        ).function
        self._watch_objectives(access_log)
        self._watch_freshness()
        self._watch_api(api)
        self._watch_machines(machines, schedule_group)
        self._watch_functions([*functions, measuring], [*unheard, measuring])
        self._watch_database(database)
        self._watch_dead_letters(dead_letters)
        self._show_counties([*functions, measuring], access_log)
        self._sample_traces()
        if self._settings.monthly_budget_usd:
            self._add_budget()
        CfnOutput(self, "AlarmTopic", value=self._alarms.topic.topic_arn)

    def _sample_traces(self) -> None:
        """A rule of this stage's own: the account's default is shared by its stages, and anybody may change it."""
        CfnSamplingRule(
            self,
            "Traces",
            sampling_rule=CfnSamplingRule.SamplingRuleProperty(
                rule_name=self._settings.physical_name("api"),
                priority=100,
                version=1,
                reservoir_size=1,
                fixed_rate=TRACED_SHARE,
                service_name=f"{self._settings.physical_name('api')}/{self._settings.name}",
                service_type="*",
                host="*",
                http_method="*",
                url_path="*",
                resource_arn="*",
            ),
        )

    def _add_budget(self) -> None:
        subscriber = CfnBudget.SubscriberProperty(subscription_type="EMAIL", address=self._settings.alarm_email)
        CfnBudget(
            self,
            "Budget",
            budget=CfnBudget.BudgetDataProperty(
                budget_name=self._settings.physical_name("account"),
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=CfnBudget.SpendProperty(amount=self._settings.monthly_budget_usd, unit="USD"),
            ),
            notifications_with_subscribers=[
                CfnBudget.NotificationWithSubscribersProperty(
                    notification=CfnBudget.NotificationProperty(
                        notification_type=kind, comparison_operator="GREATER_THAN", threshold=percent
                    ),
                    subscribers=[subscriber],
                )
                for kind, percent in (("ACTUAL", 80), ("FORECASTED", 100))
            ],
        )

    def _watch_objectives(self, access_log: ILogGroup) -> None:
        for metric in REQUEST_METRICS:
            MetricFilter(
                self,
                metric.name,
                log_group=access_log,
                filter_pattern=FilterPattern.literal(metric.pattern),
                metric_namespace=namespace(self._settings.name),
                metric_name=metric.name,
                metric_value=metric.value,
                default_value=0 if metric.value == "1" else None,
            )
        alarms = [alarm for slo in SLOS for alarm in self._alarms.add_objective(slo)]
        hour = Duration.hours(1)
        self._dashboard.add_widgets(
            AlarmStatusWidget(title="Objectives at risk", alarms=alarms, width=24, height=3),
            SingleValueWidget(
                title="Good events, % of the time shown",
                metrics=[attained(slo, self._settings.name, hour) for slo in SLOS],
                set_period_to_time_range=True,
                width=24,
                height=4,
            ),
            *(
                GraphWidget(
                    title=slo.promise,
                    left=[attained(slo, self._settings.name, hour)],
                    left_annotations=[HorizontalAnnotation(value=slo.objective * 100, label="objective")],
                    width=12,
                )
                for slo in SLOS
            ),
        )

    def _watch_freshness(self) -> None:
        # a period in which freshness has been measured, whenever its clock ticks
        measurement = Duration.minutes(2 * self._settings.freshness_interval_minutes)
        late, scheduled, age = (
            own_metric(OwnMetric(name, "freshness", "Maximum"), self._settings.name, measurement)
            for name in ("LateCounties", "ScheduledCounties", "GoodSyncAge")
        )
        self._alarms.add("CountyLate", late, 1, "A county has had no good sync since its schedule's last tick")
        unmeasured = MathExpression(
            expression="IF(scheduled >= 0, 0, 1)",
            using_metrics={"scheduled": scheduled},
            period=measurement,
            label="Not measured",
        )
        self._alarms.add(
            "FreshnessUnknown",
            unmeasured,
            1,
            "Nobody has measured the age of the counties' data in four times its interval",
            periods=2,
            missing=TreatMissingData.BREACHING,
        )
        self._dashboard.add_widgets(_graph("Counties, scheduled and late", scheduled, late), _graph("Oldest (s)", age))

    def _watch_api(self, api: SpecRestApi) -> None:
        errors = api.metric_server_error(period=_FIVE_MINUTES, statistic="Sum")
        latency = [api.metric_latency(period=_FIVE_MINUTES, statistic=share) for share in ("p99", "p50")]
        reads = own_metric(OwnMetric("ReadMilliseconds", statistic="p99"), self._settings.name, _FIVE_MINUTES)
        self._alarms.add("ApiErrors", errors, 5, "The API answers with 5xx")
        self._dashboard.add_widgets(
            _graph("Requests", api.metric_count(period=_FIVE_MINUTES), api.metric_client_error(), errors),
            GraphWidget(
                title="Latency (ms): all requests, reads",
                left=[*latency, reads],
                left_annotations=[HorizontalAnnotation(value=READ_LIMIT_MS, label="limit of reads")],
                width=12,
            ),
        )

    def _watch_machines(self, machines: dict[str, IStateMachine], schedule_group: str) -> None:
        widgets = []
        for name, machine in machines.items():
            ends: dict[str, IMetric] = {
                "failed": machine.metric_failed(period=_FIVE_MINUTES, statistic="Sum"),
                "timed_out": machine.metric_timed_out(period=_FIVE_MINUTES, statistic="Sum"),
                "aborted": machine.metric_aborted(period=_FIVE_MINUTES, statistic="Sum"),
            }
            # One that was stopped or ran out of time is no "failed" one to CloudWatch.
            unsuccessful = MathExpression(
                expression=" + ".join(f"FILL({end}, 0)" for end in ends),
                using_metrics=ends,
                period=_FIVE_MINUTES,
                label="Failed, timed out or aborted",
            )
            self._alarms.add(
                f"{name}Failed", unsuccessful, 1, f"A run of the machine {name} has failed, timed out or was aborted"
            )
            widgets.append(_graph(name, machine.metric_started(), machine.metric_succeeded(), *ends.values()))
        not_started = Metric(
            namespace="AWS/Scheduler",
            metric_name="TargetErrorCount",
            dimensions_map={"ScheduleGroup": schedule_group},
            period=_FIVE_MINUTES,
            statistic="Sum",
        )
        self._alarms.add("ScheduleFailed", not_started, 1, "A county's schedule could not start its sync")
        self._dashboard.add_widgets(*widgets)
        self._dashboard.add_widgets(
            *(
                self._by("kind", title, name)
                for title, name in (("Jobs done", "JobsSucceeded"), ("Jobs failed", "JobsFailed"))
            ),
            *(
                self._by("service", title, name)
                for title, name in (("Rows synced", "RowsRead"), ("Rejected", "RowsRejected"))
            ),
        )

    def _watch_functions(self, functions: Sequence[IFunction], unheard: Sequence[IFunction]) -> None:
        """Two alarms. A function that fails in a request is a 5xx (`ApiErrors`), and a task that fails for good ends
        its run (`SyncFailed`, `JobsFailed`): only the rest needs watching. Capacity is the account's, whoever lacks it.
        """
        errors = {
            f"errors{n}": function.metric_errors(period=_FIVE_MINUTES, statistic="Sum")
            for n, function in enumerate(unheard)
        }
        failing = MathExpression(
            expression=" + ".join(f"FILL({name}, 0)" for name in errors),
            using_metrics=dict(errors),
            period=_FIVE_MINUTES,
            label="Errors of functions that nobody waits for",
        )
        self._alarms.add("FunctionErrors", failing, 1, "A function that neither the API nor a machine waits for fails")
        throttles = Metric(
            namespace="AWS/Lambda", metric_name="Throttles", period=_FIVE_MINUTES, statistic="Sum", label="Throttled"
        )
        self._alarms.add("FunctionsThrottled", throttles, 1, "Functions of this account are refused capacity")
        by_function = [function.metric_errors(period=_FIVE_MINUTES, statistic="Sum") for function in functions]
        self._dashboard.add_widgets(_graph("Function errors", *by_function), _graph("Functions throttled", throttles))

    def _watch_dead_letters(self, queues: Mapping[str, IQueue]) -> None:
        for name, queue in queues.items():
            waiting = queue.metric_approximate_number_of_messages_visible(period=_FIVE_MINUTES, statistic="Maximum")
            self._alarms.add(f"{name}DeadLetters", waiting, 1, "Events could not be delivered, and wait")

    def _watch_database(self, database: DatabaseCluster) -> None:
        used = database.metric_acu_utilization(period=_FIVE_MINUTES, statistic="Average")
        connections = database.metric_database_connections(period=_FIVE_MINUTES, statistic="Maximum")
        self._alarms.add("DatabaseFull", used, 90, "The database is near its largest capacity", periods=3)
        self._dashboard.add_widgets(_graph("Database capacity used (%)", used), _graph("Connections", connections))

    def _show_counties(self, functions: Sequence[IFunction], access_log: ILogGroup) -> None:
        logs = [function.log_group.log_group_name for function in functions if hasattr(function, "log_group")]
        self._dashboard.add_widgets(
            *(
                LogQueryWidget(title=title, log_group_names=logs, query_string=query, width=12)
                for title, query in _COUNTY_QUERIES.items()
            ),
            LogQueryWidget(
                title="Requests by county",
                log_group_names=[access_log.log_group_name],
                query_string=_REQUESTS_BY_COUNTY,
                width=12,
            ),
        )

    def _by(self, dimension: str, title: str, metric: str) -> GraphWidget:
        """A graph of one of the platform's own metrics: a line for each value of a dimension beside the service."""
        schema = ",".join(("service", *((dimension,) if dimension != "service" else ())))
        search = MathExpression(
            expression=f"SEARCH('{{{namespace(self._settings.name)},{schema}}} MetricName=\"{metric}\"', 'Sum', 300)",
            using_metrics={},
            label="",
            period=_FIVE_MINUTES,
        )
        return GraphWidget(title=title, left=[search], width=12)


def _graph(title: str, *metrics: IMetric) -> GraphWidget:
    return GraphWidget(title=title, left=list(metrics), width=12)
