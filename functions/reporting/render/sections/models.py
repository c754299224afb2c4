"""The sections of valuation models: what they are made of, and their accuracy on sales that they had not seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from functions.reporting.domain import phrases
from functions.reporting.domain.contents import Column, DataTable, Kind, Pairs, Section, Statement, Statements
from shared.contracts.valuation_model import Accuracy, ModelSummary, ValuationModelResults
from shared.typesetting import display

_ACCURACY_COLUMNS = (
    Column("Sales", Kind.COUNT),
    Column("Median", Kind.RATIO),
    Column("COD", Kind.DECIMAL),
    Column("PRD", Kind.RATIO),
    Column("PRB", Kind.RATIO),
    Column("MAPE", Kind.DECIMAL),
    Column("In the interval", Kind.PERCENT),
)


def model_sections(models: Sequence[ValuationModelResults]) -> list[Section]:
    """A section for each model: its training, its weights, and its hold-out."""
    return [section for model in models for section in _sections(model)]


def _sections(results: ValuationModelResults) -> list[Section]:
    model = results.model
    title = f"Model of {classes_of(model)}"
    findings = [
        Statement(
            f"On {phrases.number_of(model.hold_out_sales, 'sale')} that it had not seen, its values were off by"
            f" {display.decimals(model.mape, 1)}% of the price on average.",
            "good" if model.meets_standard else "alarm",
        ),
        *(Statement(phrases.sentence(sentence), "alarm") for sentence in model.findings),
        *(Statement(f"{phrases.sentence(verdict.sentence)}") for verdict in results.overall.verdicts),
    ]
    return [
        Section(title, [Pairs(_training(results)), Statements(findings)]),
        Section("Accuracy on the hold-out", [_accuracy(results), _strata(results)], level=2),
        Section("Models that are reconciled", [_components(results)], level=2),
    ]


def classes_of(model: ModelSummary) -> str:
    """The classes of property that a model values."""
    return "every class" if model.property_classes is None else display.name(", ".join(model.property_classes))


def _training(results: ValuationModelResults) -> list[tuple[str, str]]:
    model, training = results.model, results.model.training
    return [
        ("model", str(results.model_id)),
        ("method", display.name(model.method)),
        ("valuation date", display.day(model.valuation_date)),
        ("sales used", display.count(training.sales_used)),
        ("sales from", display.day(training.first_sale_date)),
        ("sales to", display.day(training.last_sale_date)),
        ("features", display.name(", ".join(phrases.label(name).lower() for name in training.features[:12])) or "none"),
        ("number of features", display.count(len(training.features))),
        ("hold-out", " ".join(results.protocol.split())),
    ]


def accuracy_cells(accuracy: Accuracy) -> list[Any]:
    """The cells of the columns of accuracy."""
    statistics = (accuracy.statistics.get(name) for name in ("median", "cod", "prd", "prb"))
    values = [None if statistic is None else statistic.value for statistic in statistics]
    return [accuracy.sales, *values, accuracy.mape, 100 * accuracy.coverage]


def _accuracy(results: ValuationModelResults) -> DataTable:
    rows = [["All held-out sales", *accuracy_cells(results.overall)]]
    return DataTable([Column("Sample"), *_ACCURACY_COLUMNS], rows)


def _strata(results: ValuationModelResults) -> DataTable:
    rows = [
        [
            f"{phrases.label(stratum.stratum)} {display.name(stratum.value)}",
            *([stratum.sales, *[None] * 6] if stratum.accuracy is None else accuracy_cells(stratum.accuracy)),
        ]
        for stratum in results.strata
    ]
    return DataTable(
        [Column("Stratum"), *_ACCURACY_COLUMNS],
        rows,
        title="By stratum of the hold-out",
        size=lambda row: row[1],
        largest="those with most sales",
    )


def _components(results: ValuationModelResults) -> DataTable:
    columns = [
        *(Column("Model"), Column("Weight", Kind.PERCENT), Column("Sales", Kind.COUNT), Column("Median", Kind.RATIO)),
        *(Column("COD", Kind.DECIMAL), Column("PRD", Kind.RATIO), Column("MAPE", Kind.DECIMAL)),
    ]
    rows = [
        [
            *(phrases.label(part.component), 100 * part.weight, part.sales),
            *(part.median, part.cod, part.prd, part.mape),
        ]
        for part in results.components
    ]
    return DataTable(columns, rows)
