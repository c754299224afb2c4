"""Rules for sales that are unfit as evidence of market value. Pure: records in, flags out.

The grounds are those of the IAAO Standard on Verification and Adjustment of Sales (2020): transfers between related
parties, by or to institutions, by deeds that are no open-market conveyances, of several parcels, at nominal prices;
and those that show in the records alone: duplicates, resales, and changes of the property after its sale.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from types import MappingProxyType

from functions.sales_validation.domain.parameters import (
    DAYS_A_MONTH,
    IMPLAUSIBLE_FACTOR,
    LAND_SALE_SHARE,
    MIN_LISTED_WORD_LENGTH,
    MIN_SALES_FOR_TYPICAL,
)
from functions.sales_validation.domain.sale_records import RaisedFlag, SaleRecord
from functions.sales_validation.domain.transfers import parcels_of_transfers
from functions.sales_validation.schemas import Rule

_INSTITUTIONS = re.compile(
    r"\b(bank|citibank|us ?bank|wells fargo|n\.a\.|mortgage|savings|credit union|fannie mae|fnma|freddie mac|fhlmc"
    r"|federal (national|home loan)|hud|secretary of|housing authority|veterans affairs|united states|usa|state of"
    r"|county|city of|town of|village of|township|school district|board of education|diocese|university|college"
    r"|habitat for humanity|estate of|land bank)(?!\w)|(?<=\s)(church|sheriff)\b",
    re.I,
)
"""Parties whose transfers the standard calls suspect: government, lenders, charities and churches, estates.

Church and Sheriff are surnames too, so they do not count as a first word.
"""
_NO_PERSON = re.compile(
    r"\b(llc|l\.l\.c|inc|corp|company|co|ltd|lp|llp|trust|trustee|partnership|homes|builders)\b", re.I
)


@dataclass(frozen=True)
class Thresholds:
    """Thresholds of the rules. Deed and sale types are compared without regard to case.

    `nominal_price` is the highest price that is none; `flip_months` and `flip_change` (a share) bound a resale;
    `outlier_deviations` are robust deviations from the model's value; `deed_types` and `sale_types` are not of the
    open market.
    """

    nominal_price: float
    flip_months: int
    flip_change: float
    outlier_deviations: float
    deed_types: tuple[str, ...]
    sale_types: tuple[str, ...]


def broken_rules(
    sales: Sequence[SaleRecord], thresholds: Thresholds, model_values: Mapping[str, float] = MappingProxyType({})
) -> Iterator[RaisedFlag]:
    """Raise every flag of all current sales, oldest first.

    `model_values` are values by comparable sales as of each sale's day, by sale id, where there are any.
    """
    typical = typical_prices(sales)
    for sale in sales:
        yield from _record_flags(sale, thresholds, typical.get(sale.property_class))
    yield from several_parcels(sales, thresholds)
    yield from improved_in_year_of_sale(sales, model_values, typical_ratios(sales))
    duplicate_reasons = dict(duplicates(sales))
    for sale_id, reason in duplicate_reasons.items():
        yield RaisedFlag(sale_id, "duplicate", reason)
    yield from flips([sale for sale in sales if sale.sale_id not in duplicate_reasons], thresholds)


def typical_prices(sales: Iterable[SaleRecord]) -> Mapping[str, float]:
    """The median price of the sales coded valid, by property class; classes with fewer than five have none."""
    prices: dict[str, list[float]] = defaultdict(list)
    for sale in sales:
        if sale.validity_code == "valid" and sale.price > 0:
            prices[sale.property_class].append(sale.price)
    return {name: median(values) for name, values in prices.items() if len(values) >= MIN_SALES_FOR_TYPICAL}


def _record_flags(sale: SaleRecord, thresholds: Thresholds, typical_price: float | None) -> Iterator[RaisedFlag]:
    """The flags that a record raises by itself."""
    broken: list[tuple[Rule, str]] = []
    if sale.validity_code == "not_arms_length":
        broken.append(("not_arms_length", "The county codes the sale as not at arm's length."))
    broken += _price_rules(sale, thresholds, typical_price)
    if deed_type := _listed(sale.deed_type, thresholds.deed_types):
        broken.append(("deed_type", f"A deed of type {deed_type} is no open-market conveyance."))
    if sale_type := _listed(sale.sale_type, thresholds.sale_types):
        broken.append(("sale_type", f"A transfer of type {sale_type} is no open-market sale."))
    broken += _party_rules(sale)
    sale_year = date.fromordinal(sale.day).year
    if sale.newest_improvement is not None and sale.newest_improvement > sale_year:
        renewed = f"The property was built or renewed in {sale.newest_improvement}, after the sale of {sale_year}"
        broken.append(("improved_after_sale", f"{renewed}: what is known of it is not what was sold."))
    if sale.changed_since_decision:
        broken.append(
            ("changed_since_decision", "The county's record of the sale has changed since a person decided on it.")
        )
    for rule, reason in broken:
        yield RaisedFlag(sale.sale_id, rule, reason)


def _price_rules(sale: SaleRecord, thresholds: Thresholds, typical_price: float | None) -> list[tuple[Rule, str]]:
    if sale.price <= thresholds.nominal_price or sale.validity_code == "nominal_price":
        return [("nominal_price", f"The price of ${sale.price:,.0f} is nominal.")]
    if typical_price is None or typical_price / IMPLAUSIBLE_FACTOR <= sale.price <= typical_price * IMPLAUSIBLE_FACTOR:
        return []
    factor = f"{IMPLAUSIBLE_FACTOR:.0f}"
    comparison = f"over {factor} times" if sale.price > typical_price else f"less than a {factor}th of"
    typical = f"the usual ${typical_price:,.0f} of its class"
    return [("implausible_price", f"The price of ${sale.price:,.0f} is {comparison} {typical}.")]


def _party_rules(sale: SaleRecord) -> list[tuple[Rule, str]]:
    broken: list[tuple[Rule, str]] = []
    for role, name in (("seller", sale.seller), ("buyer", sale.buyer)):
        if _INSTITUTIONS.search(name):
            broken.append(("institutional_party", f"The {role} is an institution or an estate."))
            break
    if (surname := _surname(sale.seller)) and surname == _surname(sale.buyer):
        broken.append(("related_parties", "Seller and buyer have the same surname."))
    return broken


def _surname(name: str) -> str:
    """The first word of a person's name as rolls write it, surname first; "" for a firm or an institution."""
    if _INSTITUTIONS.search(name) or _NO_PERSON.search(name):
        return ""
    words = re.findall(r"[^\W\d_]{2,}", name)
    return words[0].upper() if words else ""


def _listed(value: str, entries: Iterable[str]) -> str:
    """The value where it is one of the entries, or holds one of at least four letters as a word; else ""."""
    text = " ".join(value.upper().split())
    for entry in entries:
        word = entry.upper()
        if text == word or (len(word) >= MIN_LISTED_WORD_LENGTH and re.search(rf"\b{re.escape(word)}\b", text)):
            return text
    return ""


def several_parcels(sales: Sequence[SaleRecord], thresholds: Thresholds) -> Iterator[RaisedFlag]:
    """Sales whose price is for more than one parcel: by code, by count, or as records of one transfer."""
    parcels_by_sale = parcels_of_transfers(sales, thresholds.nominal_price)
    for sale in sales:
        recorded = parcels_by_sale.get(sale.sale_id, 1)
        parcels = max(sale.parcel_count or 1, recorded)
        if parcels > 1:
            source = f", as {recorded} records of one day, price and deed or parties say" if recorded == parcels else ""
            yield RaisedFlag(sale.sale_id, "multi_parcel", f"The price is for {parcels} parcels{source}.")
        elif sale.validity_code == "multi_parcel":
            yield RaisedFlag(sale.sale_id, "multi_parcel", "The county codes the price as one for several parcels.")


def improved_in_year_of_sale(
    sales: Sequence[SaleRecord], model_values: Mapping[str, float], ratios: Mapping[str, float]
) -> Iterator[RaisedFlag]:
    """Sales for much less than the improved property is worth, of what was built or renewed in the year of the sale.

    No record says that the building stood at the sale, but the price does. It is compared with the value by comparable
    sales (`model_values`, by sale id) and, where there is none, with the property's current value at the typical ratio
    of its class (`ratios`).
    """
    for sale in sales:
        year = date.fromordinal(sale.day).year
        if sale.newest_improvement != year or sale.price <= 0:
            continue
        improved_values = [
            (model_values.get(sale.sale_id), "its value by comparable sales as it is now"),
            (_at_typical_level(sale, ratios), "its current value at the usual level of its class"),
        ]
        for value, name in improved_values:
            if value and sale.price < LAND_SALE_SHARE * value:
                yield RaisedFlag(
                    sale.sale_id,
                    "improved_in_year_of_sale",
                    f"The property was built or renewed in {year}, the year of its sale, and the price of"
                    f" ${sale.price:,.0f} is {sale.price / value:.0%} of ${value:,.0f}, {name}: it may have been sold"
                    " before it was improved.",
                )
                break


def _at_typical_level(sale: SaleRecord, ratios: Mapping[str, float]) -> float | None:
    level = ratios.get(sale.property_class)
    return sale.total_value / level if sale.total_value and level else None


def typical_ratios(sales: Iterable[SaleRecord]) -> Mapping[str, float]:
    """The median ratio of current value to price of the sales coded valid, by class; fewer than five have none."""
    ratios: dict[str, list[float]] = defaultdict(list)
    for sale in sales:
        if sale.validity_code == "valid" and sale.price > 0 and sale.total_value:
            ratios[sale.property_class].append(sale.total_value / sale.price)
    return {name: median(values) for name, values in ratios.items() if len(values) >= MIN_SALES_FOR_TYPICAL}


def duplicates(sales: Sequence[SaleRecord]) -> Iterator[tuple[str, str]]:
    """(sale id, reason) of every record but the first of one transfer: same parcel, and same day and price or deed."""
    first: dict[tuple[str, str, int, float], str] = {}
    for sale in sorted(sales, key=lambda sale: (sale.day, sale.sale_id)):
        keys = [(sale.property_id, "", sale.day, sale.price)]
        if sale.instrument_number:
            keys.append((sale.property_id, sale.instrument_number, 0, 0.0))
        earlier_id = next((first[key] for key in keys if key in first), None)
        for key in keys:
            first.setdefault(key, sale.sale_id)
        if earlier_id is not None:
            same = "the same parcel, day and price" if first.get(keys[0]) == earlier_id else "the same deed"
            yield sale.sale_id, f"The transfer is recorded already as sale {earlier_id}: {same}."


def flips(sales: Sequence[SaleRecord], thresholds: Thresholds) -> Iterator[RaisedFlag]:
    """Both sales of a resale within the months given at a price that differs by the share given or more."""
    last_sale: dict[str, SaleRecord] = {}
    flagged: set[str] = set()
    for sale in sorted(sales, key=lambda sale: (sale.day, sale.sale_id)):
        if sale.price <= thresholds.nominal_price:
            continue
        earlier = last_sale.get(sale.property_id)
        last_sale[sale.property_id] = sale
        if earlier is None or sale.day - earlier.day > thresholds.flip_months * DAYS_A_MONTH:
            continue
        change = sale.price / earlier.price - 1.0
        if abs(change) < thresholds.flip_change:
            continue
        span = f"{sale.day - earlier.day} days"
        if earlier.sale_id not in flagged:
            yield RaisedFlag(earlier.sale_id, "flip", f"Resold {span} later as sale {sale.sale_id} for {change:+.0%}.")
        flagged.add(sale.sale_id)
        yield RaisedFlag(sale.sale_id, "flip", f"A resale {span} after sale {earlier.sale_id}, for {change:+.0%}.")
