"""Alarms of a stage: a topic, its subscriber, and alarms that each name the section of their runbook."""

from collections.abc import Mapping

from aws_cdk import Duration, Stack
from aws_cdk.aws_cloudwatch import (
    Alarm,
    AlarmBase,
    AlarmRule,
    AlarmState,
    ComparisonOperator,
    CompositeAlarm,
    IMetric,
    MathExpression,
    Metric,
    TreatMissingData,
)
from aws_cdk.aws_cloudwatch_actions import SnsAction
from aws_cdk.aws_iam import PolicyStatement, ServicePrincipal
from aws_cdk.aws_sns import Topic
from aws_cdk.aws_sns_subscriptions import EmailSubscription

from infra.settings import StageSettings
from infra.slos import Metric as OwnMetric
from infra.slos import Slo, Windows
from shared.metrics import namespace

RUNBOOKS = "infra/RUNBOOKS.md"


class Alarms:
    """The topic of a stage's alarms, and the alarms that notify it, all of them resources of the stack `scope`."""

    def __init__(self, scope: Stack, settings: StageSettings) -> None:
        self._scope = scope
        self._settings = settings
        self.topic = Topic(scope, "Alarms", topic_name=settings.physical_name("alarms"), enforce_ssl=True)
        # A topic with a policy of its own has lost the default one, which lets the account's alarms publish.
        self.topic.add_to_resource_policy(
            PolicyStatement(
                sid="AlarmsOfThisAccount",
                principals=[ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": scope.account}},
            )
        )
        if settings.alarm_email:
            self.topic.add_subscription(EmailSubscription(settings.alarm_email))

    def add(
        self,
        name: str,
        metric: IMetric,
        threshold: float,
        text: str,
        *,
        periods: int = 1,
        missing: TreatMissingData = TreatMissingData.NOT_BREACHING,
        section: str | None = None,
        notifies: bool = True,
    ) -> Alarm:
        """Add an alarm.

        - `name`: of the alarm, and of its section in the runbooks unless there is a `section`
        - `metric`, `threshold`: it alarms at the threshold and above
        - `text`: what has happened
        - `periods`: how many in a row
        - `missing`: what no data means
        - `notifies`: False for a part of a composite alarm
        """
        alarm = Alarm(
            self._scope,
            name,
            alarm_name=self._settings.physical_name(name),
            alarm_description=_described(text, section or name),
            metric=metric,
            threshold=threshold,
            evaluation_periods=periods,
            comparison_operator=ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=missing,
        )
        if notifies:
            self._notify(alarm)
        return alarm

    def _notify(self, alarm: AlarmBase) -> None:
        action = SnsAction(self.topic)
        alarm.add_alarm_action(action)
        alarm.add_ok_action(action)

    def add_objective(self, slo: Slo) -> list[CompositeAlarm]:
        """Add the burn-rate alarms of an objective: each of two alarms on a window, neither of which notifies alone."""
        return [self._burn_alarm(slo, windows) for windows in slo.windows]

    def _burn_alarm(self, slo: Slo, windows: Windows) -> CompositeAlarm:
        name = f"{slo.name}{windows.name}Burn"
        text = f"{slo.promise}: the budget of failures burns {windows.burn_rate:g} times too fast"
        parts = [
            self.add(
                f"{name}{length}",
                self._burn_rate(slo, minutes, slo.min_events if length == "Long" else 1),
                windows.burn_rate,
                f"{text}, over {minutes} minutes",
                section=f"{slo.name}Burn",
                notifies=False,
            )
            for length, minutes in (("Long", windows.long_minutes), ("Short", windows.short_minutes))
        ]
        composite = CompositeAlarm(
            self._scope,
            name,
            composite_alarm_name=self._settings.physical_name(name),
            alarm_description=_described(text, f"{slo.name}Burn"),
            alarm_rule=AlarmRule.all_of(*(AlarmRule.from_alarm(part, AlarmState.ALARM) for part in parts)),
        )
        self._notify(composite)
        return composite

    def _burn_rate(self, slo: Slo, minutes: int, min_events: int) -> MathExpression:
        period = Duration.minutes(minutes)
        bad, total, metrics = _sums(slo, self._settings.name, period)
        return MathExpression(
            expression=f"IF(({total}) >= {min_events}, ({bad}) / ({total}) / {slo.budget:g}, 0)",
            using_metrics=metrics,
            period=period,
            label=f"{slo.title}: burn rate over {minutes} minutes",
        )


def attained(slo: Slo, stage: str, period: Duration) -> MathExpression:
    """The share of good events, in per cent."""
    bad, total, metrics = _sums(slo, stage, period)
    return MathExpression(
        expression=f"100 * (1 - ({bad}) / ({total}))", using_metrics=metrics, period=period, label=slo.title
    )


def own_metric(metric: OwnMetric, stage: str, period: Duration) -> Metric:
    """One of the stage's own metrics."""
    return Metric(
        namespace=namespace(stage),
        metric_name=metric.name,
        dimensions_map={"service": metric.service} if metric.service else {},
        statistic=metric.statistic,
        period=period,
    )


def _sums(slo: Slo, stage: str, period: Duration) -> tuple[str, str, Mapping[str, IMetric]]:
    """The expressions of an objective's bad events and of all, and the metrics that they name."""
    # ids are a widget's: several objectives share one
    bad = {f"bad{slo.name}{n}": own_metric(metric, stage, period) for n, metric in enumerate(slo.bad)}
    total = {f"total{slo.name}{n}": own_metric(metric, stage, period) for n, metric in enumerate(slo.total)}
    bad_sum, total_sum = (" + ".join(f"FILL({name}, 0)" for name in metrics) for metrics in (bad, total))
    return bad_sum, total_sum, bad | total


def _described(text: str, section: str) -> str:
    return f"{text}. Runbook: {RUNBOOKS}#{section.lower()}"
