"""The observability stack: alarms, their topic, and a dashboard."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk.aws_apigateway import RestApi
from aws_cdk.aws_budgets import CfnBudget
from aws_cdk.aws_cloudwatch import (
    Alarm,
    ComparisonOperator,
    Dashboard,
    GraphWidget,
    IMetric,
    MathExpression,
    Metric,
    TreatMissingData,
)
from aws_cdk.aws_cloudwatch_actions import SnsAction
from aws_cdk.aws_iam import PolicyStatement, ServicePrincipal
from aws_cdk.aws_lambda import IFunction
from aws_cdk.aws_rds import DatabaseCluster
from aws_cdk.aws_sns import Topic
from aws_cdk.aws_sns_subscriptions import EmailSubscription
from aws_cdk.aws_sqs import IQueue
from aws_cdk.aws_stepfunctions import IStateMachine
from constructs import Construct

from infra.constructs.platform import Platform
from shared.metrics import NAMESPACE

_FIVE_MINUTES = Duration.minutes(5)


class ObservabilityStack(Stack):
    """Alarms and dashboard. A stage's `alarm_email` is subscribed to the alarms."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        platform: Platform,
        *,
        api: RestApi,
        database: DatabaseCluster,
        machines: dict[str, IStateMachine],
        functions: Sequence[IFunction],
        schedule_group: str,
        dead_letters: Mapping[str, IQueue],
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self._settings = platform.settings
        self.topic = self._alarm_topic()
        dashboard = Dashboard(self, "Dashboard", dashboard_name=platform.settings.physical_name("overview"))
        self._watch_api(dashboard, api)
        self._watch_machines(dashboard, machines, schedule_group)
        self._watch_functions(dashboard, functions)
        self._watch_database(dashboard, database)
        self._watch_dead_letters(dead_letters)
        if self._settings.monthly_budget_usd:
            self._add_budget()
        CfnOutput(self, "AlarmTopic", value=self.topic.topic_arn)

    def _alarm_topic(self) -> Topic:
        topic = Topic(self, "Alarms", topic_name=self._settings.physical_name("alarms"), enforce_ssl=True)
        # A topic with a policy of its own has lost the default one, which lets the account's alarms publish.
        topic.add_to_resource_policy(
            PolicyStatement(
                sid="AlarmsOfThisAccount",
                principals=[ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
        if self._settings.alarm_email:
            topic.add_subscription(EmailSubscription(self._settings.alarm_email))
        return topic

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

    def _watch_api(self, dashboard: Dashboard, api: RestApi) -> None:
        errors = api.metric_server_error(period=_FIVE_MINUTES, statistic="Sum")
        latency = api.metric_latency(period=_FIVE_MINUTES, statistic="p99")
        self._alarm("ApiErrors", errors, 5, "The API answers with 5xx")
        self._alarm("ApiSlow", latency, 5000, "One request in a hundred takes longer than five seconds", periods=3)
        dashboard.add_widgets(
            _graph("Requests", api.metric_count(period=_FIVE_MINUTES), api.metric_client_error(), errors),
            _graph("Latency (ms)", latency, api.metric_latency(period=_FIVE_MINUTES, statistic="p50")),
        )

    def _watch_machines(self, dashboard: Dashboard, machines: dict[str, IStateMachine], schedule_group: str) -> None:
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
            self._alarm(
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
        self._alarm("ScheduleFailed", not_started, 1, "A county's schedule could not start its sync")
        dashboard.add_widgets(*widgets)
        dashboard.add_widgets(
            *(
                _by("kind", title, name)
                for title, name in (("Jobs done", "JobsSucceeded"), ("Jobs failed", "JobsFailed"))
            ),
            *(
                _by("service", title, name)
                for title, name in (("Rows synced", "RowsRead"), ("Rejected", "RowsRejected"))
            ),
        )

    def _watch_functions(self, dashboard: Dashboard, functions: Sequence[IFunction]) -> None:
        errors = [function.metric_errors(period=_FIVE_MINUTES, statistic="Sum") for function in functions]
        throttles = [function.metric_throttles(period=_FIVE_MINUTES, statistic="Sum") for function in functions]
        for function, error, throttle in zip(functions, errors, throttles, strict=True):
            name = function.node.scope.node.id if function.node.scope else function.node.id
            self._alarm(f"{name}Errors", error, 3, f"The function {name} fails")
            self._alarm(f"{name}Throttled", throttle, 1, f"The function {name} is refused capacity")
        dashboard.add_widgets(_graph("Function errors", *errors), _graph("Functions throttled", *throttles))

    def _watch_dead_letters(self, queues: Mapping[str, IQueue]) -> None:
        for name, queue in queues.items():
            waiting = queue.metric_approximate_number_of_messages_visible(period=_FIVE_MINUTES, statistic="Maximum")
            self._alarm(f"{name}DeadLetters", waiting, 1, "Events could not be delivered: terrafusion dead-letters")

    def _watch_database(self, dashboard: Dashboard, database: DatabaseCluster) -> None:
        used = database.metric_acu_utilization(period=_FIVE_MINUTES, statistic="Average")
        connections = database.metric_database_connections(period=_FIVE_MINUTES, statistic="Maximum")
        self._alarm("DatabaseFull", used, 90, "The database is near its largest capacity", periods=3)
        dashboard.add_widgets(_graph("Database capacity used (%)", used), _graph("Connections", connections))

    def _alarm(self, name: str, metric: IMetric, threshold: float, text: str, *, periods: int = 1) -> None:
        alarm = Alarm(
            self,
            name,
            alarm_name=self._settings.physical_name(name),
            alarm_description=text,
            metric=metric,
            threshold=threshold,
            evaluation_periods=periods,
            comparison_operator=ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(SnsAction(self.topic))
        alarm.add_ok_action(SnsAction(self.topic))


def _by(dimension: str, title: str, metric: str) -> GraphWidget:
    """A graph of one of the platform's own metrics, with a line for each value of a dimension beside the service."""
    schema = ",".join(("service", *((dimension,) if dimension != "service" else ())))
    search = MathExpression(
        expression=f"SEARCH('{{{NAMESPACE},{schema}}} MetricName=\"{metric}\"', 'Sum', 300)",
        using_metrics={},
        label="",
        period=_FIVE_MINUTES,
    )
    return GraphWidget(title=title, left=[search], width=12)


def _graph(title: str, *metrics: IMetric) -> GraphWidget:
    return GraphWidget(title=title, left=list(metrics), width=12)
