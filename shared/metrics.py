"""CloudWatch metrics of the platform's own work, written to the log in the embedded metric format."""

from collections.abc import Mapping
from typing import Literal

from shared.settings import settings

Unit = Literal["Count", "Seconds"]


def namespace(stage: str) -> str:
    """The namespace of a stage's metrics: stages of one account are counted apart."""
    return f"TerraFusion/{stage}"


def record(
    service: str,
    figures: Mapping[str, tuple[Unit, float]],
    *,
    dimensions: Mapping[str, str] | None = None,
    properties: Mapping[str, str] | None = None,
) -> None:
    """Record figures by name, all under the service, and under the service with `dimensions` where there are some.

    A dimension's every value makes a metric that is paid for. What has many values, as counties have, is a property: it
    can be searched in the log (CloudWatch Logs Insights) and costs nothing more.
    """
    from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit  # when needed: a request records none

    metrics = EphemeralMetrics(namespace=namespace(settings().stage), service=service)
    if dimensions:
        metrics.add_dimensions(service=service, **dimensions)
    for name, (unit, figure) in figures.items():
        metrics.add_metric(name, MetricUnit(unit), figure)
    for name, value in (properties or {}).items():
        metrics.add_metadata(name, value)
    metrics.flush_metrics()
