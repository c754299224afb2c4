"""The sections that explain a value: the estimate, its comparables with their adjustments, and its contributions."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from functions.reporting.domain import phrases
from functions.reporting.domain.contents import (
    Column,
    DataTable,
    Drawing,
    Figure,
    Kind,
    Pairs,
    Section,
    Statement,
    Statements,
    Toned,
)
from functions.reporting.domain.parameters import MAX_GRID_COMPARABLES
from functions.reporting.domain.parcel_shapes import MapParcel, window_around
from functions.reporting.render.charts.contribution_bars import contribution_bars
from functions.reporting.render.charts.parcel_map import MapLayer, parcel_map
from shared.contracts.valuation import Adjustment, Comparable, ValuationResponse
from shared.typesetting import display

_MAP_HEIGHT, _MAP_WIDTH = 210.0, 420.0
_MIN_MAP_HEIGHT_M = 400.0
_BY_YEAR = "age"
"""The adjustment whose values are years: those in which the buildings were built."""
_MAP_MARGIN = 0.12


def estimate_section(value: ValuationResponse) -> Section:
    """The value, and what it is worth as evidence."""
    interval = value.interval
    statements = [
        Statement(
            f"As of {display.day(value.valuation_date)} the property is valued at {display.dollars(value.estimate)},"
            f" by {phrases.number_of(value.sales_used, 'sale')}."
        ),
        Statement(
            f"A sale on that day is expected between {display.dollars(interval.low)} and"
            f" {display.dollars(interval.high)}."
        ),
        *(Statement(phrases.sentence(flag.text) + ".") for flag in value.flags),
    ]
    model = "none: by comparable sales alone" if value.model is None else str(value.model.model_id)
    return Section(
        "Value",
        [
            Statements(statements),
            Pairs(
                [
                    ("valuation", str(value.valuation_id)),
                    ("method", display.name(value.method)),
                    ("model", model),
                    ("probability of the interval", f"{display.decimals(100 * interval.coverage, 0)}%"),
                    ("market trend a year", f"{display.decimals(value.time_trend.annual_change_percent, 1)}%"),
                    ("made", f"{display.moment(value.created_at)}, by {display.name(value.created_by)}"),
                ]
            ),
        ],
    )


def comparables_sections(valuation: ValuationResponse, drawing: Drawing | None) -> list[Section]:
    """The grid of the heaviest comparables, a map of them, and every adjustment of every one."""
    rows = [
        [
            *(comparable.property_id, comparable.sale_date, comparable.sale_price, phrases.label(adjustment.name)),
            *(_text(adjustment.name, value) for value in (adjustment.subject_value, adjustment.comparable_value)),
            *(adjustment.amount, comparable.adjusted_price, 100 * comparable.weight),
        ]
        for comparable in valuation.comparables
        for adjustment in comparable.adjustments
    ]
    columns = [
        *(Column("Comparable"), Column("Sold", Kind.DAY), Column("Price", Kind.DOLLARS), Column("Adjusted for")),
        *(Column("This property"), Column("Comparable's"), Column("Adjustment", Kind.DOLLAR_CHANGE)),
        *(Column("Adjusted price", Kind.DOLLARS), Column("Weight", Kind.PERCENT)),
    ]
    return [
        Section("Comparable sales", [comparables_grid(valuation), *([] if drawing is None else [drawing])]),
        Section("Adjustments", [DataTable(columns, rows, title="Every adjustment of every comparable")]),
    ]


def comparables_grid(value: ValuationResponse) -> DataTable:
    """The property beside its heaviest comparables, a row an item."""
    shown = value.comparables[:MAX_GRID_COMPARABLES]
    by_name = [{adjustment.name: adjustment for adjustment in comparable.adjustments} for comparable in shown]
    names = dict.fromkeys(name for adjustments in by_name for name in adjustments)
    rows: list[list[Any]] = [
        ["Property", value.property_id, *(Toned(display.name(comparable.property_id)) for comparable in shown)],
        ["Address", None, *(Toned(display.name(comparable.address)) for comparable in shown)],
        ["Sold", None, *(Figure(comparable.sale_date, Kind.DAY) for comparable in shown)],
        ["Distance, km", None, *(_kilometers(comparable) for comparable in shown)],
        ["Price", None, *(Figure(comparable.sale_price, Kind.DOLLARS) for comparable in shown)],
        *(
            [
                phrases.label(name),
                next((_text(name, found[name].subject_value) for found in by_name if name in found), None),
                *(_adjustment(found, name) for found in by_name),
            ]
            for name in names
        ),
        ["Adjusted price", None, *(Figure(comparable.adjusted_price, Kind.DOLLARS) for comparable in shown)],
        ["Weight", None, *(Figure(100 * comparable.weight, Kind.PERCENT) for comparable in shown)],
    ]
    heads = [Column(f"Comparable {number}", Kind.DOLLAR_CHANGE) for number in range(1, len(shown) + 1)]
    return DataTable([Column("Item"), Column("This property"), *heads], rows, title="Comparables with adjustments")


def _adjustment(adjustments: Mapping[str, Adjustment], name: str) -> Figure | None:
    return Figure(adjustments[name].amount, Kind.DOLLAR_CHANGE) if name in adjustments else None


def _kilometers(comparable: Comparable) -> Figure | None:
    return None if comparable.distance_km is None else Figure(comparable.distance_km, Kind.DECIMAL, 2)


def _text(name: str, value: str | float | None) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if name == _BY_YEAR:
        return f"{value:.0f}"
    return f"{Decimal(str(round(value, 2))).normalize():,f}"


def contributions_section(value: ValuationResponse) -> Section | None:
    """From the county's typical value to this one, feature by feature; None of a value without contributions."""
    contributions = value.contributions
    if contributions is None:
        return None
    bars = contribution_bars(
        "Contributions to the value", [(phrases.label(part.name), part.amount) for part in contributions.features]
    )
    rows = [
        ["The county's typical value", None, contributions.base],
        *([phrases.label(part.name), _text(part.name, part.value), part.amount] for part in contributions.features),
    ]
    columns = [Column("Feature"), Column("This property"), Column("Contribution", Kind.DOLLAR_CHANGE, is_summed=True)]
    table = DataTable(columns, rows, total=["Value", None, value.estimate])
    return Section("Contributions", [*([] if bars is None else [bars]), table])


def comparables_map(value: ValuationResponse, parcel: MapParcel, comparables: Mapping[str, MapParcel]) -> Drawing:
    """The property and its heaviest comparables by their numbers in the grid; `comparables` are by property."""
    numbered = [
        (comparables[comparable.property_id], str(number))
        for number, comparable in enumerate(value.comparables[:MAX_GRID_COMPARABLES], start=1)
        if comparable.property_id in comparables
    ]
    points = [MapParcel(found.property_id, found.position, None) for found, _ in numbered]
    own = MapParcel(parcel.property_id, parcel.position, None)
    return parcel_map(
        "The property and its comparables",
        f"A map of the property and {phrases.number_of(len(numbered), 'comparable sale')}, by their numbers in the"
        " grid; north is up.",
        window_around(
            [own.position, *(point.position for point in points)],
            aspect=_MAP_WIDTH / _MAP_HEIGHT,
            margin=_MAP_MARGIN,
            min_height_m=_MIN_MAP_HEIGHT_M,
        ),
        [MapLayer("comparable sales", "second", points, 4), MapLayer("this property", "alarm", [own], 5)],
        height=_MAP_HEIGHT,
        width=_MAP_WIDTH,
        names=[(point.position, name) for point, (_, name) in zip(points, numbered, strict=True)],
    )
