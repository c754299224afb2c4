"""The sections of a mass appraisal report, in the order of the Standards Rule's items."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from functions.reporting.domain import phrases
from functions.reporting.domain.contents import (
    Block,
    Column,
    DataTable,
    Figure,
    Kind,
    Pairs,
    Prose,
    Section,
    Statement,
    Statements,
)
from functions.reporting.domain.mass_appraisal import (
    AppraisalFigures,
    AppraiserStatements,
    ReportArea,
    left_out_of_area,
    sales_of_area,
)
from functions.reporting.render.charts.contribution_bars import contribution_bars
from functions.reporting.render.charts.ratio_map import PlacedParcel
from functions.reporting.render.sections.models import model_sections
from functions.reporting.render.sections.ratio_study import STATISTICS, chart_sections, stratum_statistics
from functions.reporting.render.sections.valuation_run import run_sections
from shared.contracts.ratio_study import RatioStudyResults, StudiedSales, StudyResult
from shared.typesetting import display

_NONE = "There are none."


def appraisal_sections(
    statements: AppraiserStatements,
    figures: AppraisalFigures,
    area: ReportArea | None,
    reported_on: date,
    parcels: Sequence[PlacedParcel],
) -> list[Section]:
    """All items, each with its heading."""
    return [
        *_assignment(statements, figures, reported_on),
        *_data(statements, figures, area),
        *_models(statements, figures),
        *_performance(figures, area, parcels),
        *_values(figures, area),
        Section("Review of the values", [Prose(statements.value_review)]),
        Section("Reconciliation", [Prose(statements.reconciliation)]),
        *_conditions(statements),
        *_certification(statements),
    ]


def _assignment(statements: AppraiserStatements, figures: AppraisalFigures, reported_on: date) -> list[Section]:
    return [
        Section("Client", [Prose(statements.client)]),
        Section("Intended users", [Prose(statements.intended_users)]),
        Section("Intended use", [Prose(statements.intended_use)]),
        Section(
            "Dates",
            [
                Pairs(
                    [
                        ("effective date of the values", display.day(figures.run.valuation_date)),
                        ("date of the report", display.day(reported_on)),
                    ]
                )
            ],
        ),
        Section("Type and definition of value", [Prose(statements.definition_of_value)]),
        Section("Properties and rights appraised", [Prose(statements.properties_and_rights)]),
        Section("Scope of work", [Prose(statements.scope_of_work)]),
        Section("Highest and best use", [Prose(statements.highest_and_best_use or "No opinion of it was developed.")]),
    ]


def _data(statements: AppraiserStatements, figures: AppraisalFigures, area: ReportArea | None) -> list[Section]:
    sections = [Section("Collection and validation of data", [Prose(statements.data_collection)])]
    if figures.sales is None:
        text = "The study was made before its sales were kept one by one: make it again to list them."
        return [*sections, Section("Sales", [Prose(text)])]
    return [
        *sections,
        Section("Sales used", [_sales_used(figures.sales, area)], level=2),
        Section("Sales left out", [_sales_left_out(figures.sales, area)], level=2),
    ]


def _sales_used(sales: StudiedSales, area: ReportArea | None) -> DataTable:
    columns = [
        *(Column("Sale"), Column("Property"), Column("Sold", Kind.DAY), Column("Price", Kind.DOLLARS)),
        *(Column("Price studied", Kind.DOLLARS), Column("Value", Kind.DOLLARS), Column("Ratio", Kind.RATIO)),
        Column("Trimmed", Kind.FLAG),
    ]
    rows = [
        [
            *(sales.sale_ids[each], sales.property_ids[each], sales.sale_dates[each]),
            *(_dollars(sales.sale_prices[each]), _dollars(sales.prices[each]), _dollars(sales.values[each])),
            *(sales.ratios[each], sales.trimmed[each]),
        ]
        for each in sales_of_area(sales, area)
    ]
    return DataTable(columns, rows, title="Sales used in the ratio studies of the values")


def _sales_left_out(sales: StudiedSales, area: ReportArea | None) -> DataTable:
    columns = [
        *(Column("Sale"), Column("Property"), Column("Sold", Kind.DAY), Column("Price", Kind.DOLLARS)),
        Column("Reason"),
    ]
    rows = [
        [sale.sale_id, sale.property_id, sale.sale_date, _dollars(sale.sale_price), phrases.label(sale.reason)]
        for sale in left_out_of_area(sales, area)
    ]
    return DataTable(columns, rows, title="Sales of the period that were left out, each with its reason")


def _dollars(amount: float) -> Decimal:
    return Decimal(str(amount))


def _models(statements: AppraiserStatements, figures: AppraisalFigures) -> list[Section]:
    amounts = [(phrases.label(each.feature), each.mean_contribution) for each in figures.importances]
    bars = contribution_bars("Importance of the features", amounts)
    table = DataTable(
        [Column("Feature"), Column("Mean contribution", Kind.DOLLARS), Column("Properties", Kind.COUNT)],
        [[phrases.label(each.feature), each.mean_contribution, each.properties] for each in figures.importances],
        title="Importances: the mean size of each feature's contribution to the values",
    )
    excluded = [
        [phrases.label(reason), number]
        for model in figures.models
        for reason, number in model.model.training.sales_excluded.items()
    ]
    return [
        Section("Specification of the models", [Prose(statements.model_specification)]),
        Section("Calibration", [Prose(statements.calibration)]),
        Section("Importances", [*([] if bars is None else [bars]), table], level=2),
        Section(
            "Sales that the models did not learn from",
            [DataTable([Column("Reason"), Column("Sales", Kind.COUNT)], excluded)],
            level=2,
        ),
        *model_sections(figures.models),
    ]


def _performance(figures: AppraisalFigures, area: ReportArea | None, parcels: Sequence[PlacedParcel]) -> list[Section]:
    of_area = figures.sales if area is None else None
    charts = [
        Section(f"Charts {when}", section.blocks, level=2)
        for when, results, sales in (("before", figures.before, None), ("after", figures.after, of_area))
        for section in chart_sections(results, sales, parcels)
    ]
    return [
        Section("Ratio studies before and after", [_comparison(figures.before_sample, figures.after_sample)]),
        Section("Before", [*_study_facts(figures.before), *stratum_statistics(figures.before_sample)], level=2),
        Section("After", [*_study_facts(figures.after), *stratum_statistics(figures.after_sample)], level=2),
        *charts,
    ]


def _comparison(before: StudyResult, after: StudyResult) -> DataTable:
    rows: list[list[Any]] = [["Sales", Figure(before.sales, Kind.COUNT), Figure(after.sales, Kind.COUNT)]]
    for name in dict.fromkeys((*before.statistics, *after.statistics)):
        title, places = STATISTICS.get(name, (phrases.label(name), 3))
        values = [None if name not in each.statistics else each.statistics[name].value for each in (before, after)]
        rows.append([title, *(Figure(value, Kind.RATIO, places) for value in values)])
    return DataTable([Column("Statistic"), Column("Before", Kind.RATIO), Column("After", Kind.RATIO)], rows)


def _study_facts(results: RatioStudyResults) -> list[Block]:
    return [
        Pairs(
            [
                ("sales", f"{display.day(results.sale_from)} to {display.day(results.sale_to)}"),
                ("values", phrases.label(results.value_source).lower()),
                ("prices", "adjusted for time" if results.prices_time_adjusted else "as paid"),
                ("standard", display.name(results.standard)),
            ]
        )
    ]


def _values(figures: AppraisalFigures, area: ReportArea | None) -> list[Section]:
    if area is None:
        first, *others = run_sections(figures.run)
        return [Section("Values", first.blocks), *(Section(each.title, each.blocks, level=2) for each in others)]
    found = figures.area_values
    text = (
        f"{display.count(found.valued)} of {phrases.number_of(found.properties, 'property', 'properties')} of the area"
        f" {phrases.have(found.valued)} a value, together {display.dollars(found.estimate_total)};"
        f" {display.count(found.review)} {phrases.are(found.review)} to be reviewed."
    )
    return [Section("Values", [Statements([Statement(text)])])]


def _conditions(statements: AppraiserStatements) -> list[Section]:
    return [
        Section("Assumptions and limiting conditions", [_listed(statements.limiting_conditions)]),
        Section("Extraordinary assumptions", [_listed(statements.extraordinary_assumptions)], level=2),
        Section("Hypothetical conditions", [_listed(statements.hypothetical_conditions)], level=2),
        Section("Jurisdictional exceptions", [_listed(statements.jurisdictional_exceptions)], level=2),
    ]


def _listed(texts: Sequence[str]) -> Block:
    return Statements([Statement(text) for text in texts]) if texts else Prose(_NONE)


def _certification(statements: AppraiserStatements) -> list[Section]:
    certification = statements.certification
    return [
        Section("Certification", [_listed(certification.statements)], begins_page=True),
        Section("Significant assistance", [_listed(statements.significant_assistance)], level=2),
        Section("Signed by", [Pairs([(certification.title, certification.signed_by)])], level=2),
    ]
