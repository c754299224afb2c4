"""CloudWatch metrics of the platform's own work, written to the log in the embedded metric format."""

from collections.abc import Mapping
from typing import Literal

NAMESPACE = "TerraFusion"

Unit = Literal["Count", "Seconds"]


def record(
    service: str,
    figures: Mapping[str, tuple[Unit, float]],
    *,
    dimensions: Mapping[str, str] | None = None,
    properties: Mapping[str, str] | None = None,
) -> None:
    """Record figures by name, all under the service and `dimensions`.

    A dimension's every value makes a metric that is paid for. What has many values, as counties have, is a property: it
    can be searched in the log (CloudWatch Logs Insights) and costs nothing more.
    """
    from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit  # when needed: a request records none

    metrics = EphemeralMetrics(namespace=NAMESPACE, service=service)
    for name, value in (dimensions or {}).items():
        metrics.add_dimension(name, value)
    for name, (unit, figure) in figures.items():
        metrics.add_metric(name, MetricUnit(unit), figure)
    for name, value in (properties or {}).items():
        metrics.add_metadata(name, value)
    metrics.flush_metrics()
