"""What makes a sale unfit as evidence of market value. Pure: records in, flags out.

The grounds are those of the IAAO Standard on Verification and Adjustment of Sales (2020): transfers between related
parties, by or to institutions, by deeds that are no open-market conveyances, of several parcels, at nominal prices;
and what the records themselves give away: duplicates, resales, and changes of the property after its sale.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from types import MappingProxyType

from functions.sales_validation.domain.transfers import parcels_of_transfers
from functions.sales_validation.repository.validation import FoundFlag, SaleRecord
from functions.sales_validation.schemas import Rule

FEWEST_FOR_USUAL_PRICE = 5
IMPLAUSIBLE_FACTOR = 20.0
LAND_SALE_SHARE = 0.6
"""Of the improved value. Land is 20 to 40 % of that of a new home; ordinary homes hardly sell for so little."""
_DAYS_A_MONTH = 30.4375
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
    """Where the rules draw their lines. Deed and sale types are compared without regard to case."""

    nominal_price: float
    flip_months: int
    flip_change: float
    outlier_deviations: float
    deed_types: tuple[str, ...]
    sale_types: tuple[str, ...]


def broken_rules(
    sales: Sequence[SaleRecord], thresholds: Thresholds, model_values: Mapping[str, float] = MappingProxyType({})
) -> Iterator[FoundFlag]:
    """Every flag that the records of all current sales, oldest first, give rise to.

    `model_values` are values by comparable sales as of each sale's day, by sale id, where there are any.
    """
    usual = usual_prices(sales)
    for sale in sales:
        yield from _of_the_record(sale, thresholds, usual.get(sale.property_class))
    yield from several_parcels(sales, thresholds)
    yield from improved_in_year_of_sale(sales, model_values, usual_ratios(sales))
    repeated = dict(duplicates(sales))
    for sale_id, reason in repeated.items():
        yield FoundFlag(sale_id, "duplicate", reason)
    yield from flips([sale for sale in sales if sale.sale_id not in repeated], thresholds)


def usual_prices(sales: Iterable[SaleRecord]) -> Mapping[str, float]:
    """The median price of the sales coded valid, by property class; classes with fewer than five have none."""
    prices: dict[str, list[float]] = defaultdict(list)
    for sale in sales:
        if sale.validity_code == "valid" and sale.price > 0:
            prices[sale.property_class].append(sale.price)
    return {name: median(found) for name, found in prices.items() if len(found) >= FEWEST_FOR_USUAL_PRICE}


def _of_the_record(sale: SaleRecord, thresholds: Thresholds, usual_price: float | None) -> Iterator[FoundFlag]:
    """What one record says by itself."""
    found: list[tuple[Rule, str]] = []
    if sale.validity_code == "not_arms_length":
        found.append(("not_arms_length", "The county codes the sale as not at arm's length."))
    found += _price_rules(sale, thresholds, usual_price)
    if named := _listed(sale.deed_type, thresholds.deed_types):
        found.append(("deed_type", f"A deed of type {named} is no open-market conveyance."))
    if named := _listed(sale.sale_type, thresholds.sale_types):
        found.append(("sale_type", f"A transfer of type {named} is no open-market sale."))
    found += _party_rules(sale)
    sold_in = date.fromordinal(sale.day).year
    if sale.newest_improvement is not None and sale.newest_improvement > sold_in:
        renewed = f"The property was built or renewed in {sale.newest_improvement}, after the sale of {sold_in}"
        found.append(("improved_after_sale", f"{renewed}: what is known of it is not what was sold."))
    if sale.changed_since_decision:
        found.append(
            ("changed_since_decision", "The county's record of the sale has changed since a person decided on it.")
        )
    for rule, reason in found:
        yield FoundFlag(sale.sale_id, rule, reason)


def _price_rules(sale: SaleRecord, thresholds: Thresholds, usual_price: float | None) -> list[tuple[Rule, str]]:
    if sale.price <= thresholds.nominal_price or sale.validity_code == "nominal_price":
        return [("nominal_price", f"The price of ${sale.price:,.0f} is nominal.")]
    if usual_price is None or usual_price / IMPLAUSIBLE_FACTOR <= sale.price <= usual_price * IMPLAUSIBLE_FACTOR:
        return []
    factor = f"{IMPLAUSIBLE_FACTOR:.0f}"
    compared = f"over {factor} times" if sale.price > usual_price else f"less than a {factor}th of"
    usual = f"the usual ${usual_price:,.0f} of its class"
    return [("implausible_price", f"The price of ${sale.price:,.0f} is {compared} {usual}.")]


def _party_rules(sale: SaleRecord) -> list[tuple[Rule, str]]:
    found: list[tuple[Rule, str]] = []
    for role, name in (("seller", sale.seller), ("buyer", sale.buyer)):
        if _INSTITUTIONS.search(name):
            found.append(("institutional_party", f"The {role} is an institution or an estate."))
            break
    if (shared := _surname(sale.seller)) and shared == _surname(sale.buyer):
        found.append(("related_parties", "Seller and buyer have the same surname."))
    return found


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
        wanted = entry.upper()
        if text == wanted or (len(wanted) >= 4 and re.search(rf"\b{re.escape(wanted)}\b", text)):
            return text
    return ""


def several_parcels(sales: Sequence[SaleRecord], thresholds: Thresholds) -> Iterator[FoundFlag]:
    """Sales whose price is for more than one parcel: by code, by count, or as records of one transfer."""
    together = parcels_of_transfers(sales, thresholds.nominal_price)
    for sale in sales:
        found = together.get(sale.sale_id, 1)
        counted = max(sale.parcel_count or 1, found)
        if counted > 1:
            told = f", as {found} records of one day, price and deed or parties say" if found == counted else ""
            yield FoundFlag(sale.sale_id, "multi_parcel", f"The price is for {counted} parcels{told}.")
        elif sale.validity_code == "multi_parcel":
            yield FoundFlag(sale.sale_id, "multi_parcel", "The county codes the price as one for several parcels.")


def improved_in_year_of_sale(
    sales: Sequence[SaleRecord], model_values: Mapping[str, float], usual: Mapping[str, float]
) -> Iterator[FoundFlag]:
    """Sales for much less than the improved property is worth, of what was built or renewed in the year of the sale.

    Nobody says whether the building stood: the price does. It is held against the value by comparable sales
    (`model_values`, by sale id) and, where there is none, against the property's current value at the usual ratio of
    its class.
    """
    for sale in sales:
        year = date.fromordinal(sale.day).year
        if sale.newest_improvement != year or sale.price <= 0:
            continue
        compared = [
            (model_values.get(sale.sale_id), "its value by comparable sales as it is now"),
            (_at_usual_level(sale, usual), "its current value at the usual level of its class"),
        ]
        for value, name in compared:
            if value and sale.price < LAND_SALE_SHARE * value:
                yield FoundFlag(
                    sale.sale_id,
                    "improved_in_year_of_sale",
                    f"The property was built or renewed in {year}, the year of its sale, and the price of"
                    f" ${sale.price:,.0f} is {sale.price / value:.0%} of ${value:,.0f}, {name}: it may have been sold"
                    " before it was improved.",
                )
                break


def _at_usual_level(sale: SaleRecord, usual: Mapping[str, float]) -> float | None:
    level = usual.get(sale.property_class)
    return sale.total_value / level if sale.total_value and level else None


def usual_ratios(sales: Iterable[SaleRecord]) -> Mapping[str, float]:
    """The median ratio of current value to price of the sales coded valid, by class; fewer than five have none."""
    ratios: dict[str, list[float]] = defaultdict(list)
    for sale in sales:
        if sale.validity_code == "valid" and sale.price > 0 and sale.total_value:
            ratios[sale.property_class].append(sale.total_value / sale.price)
    return {name: median(found) for name, found in ratios.items() if len(found) >= FEWEST_FOR_USUAL_PRICE}


def duplicates(sales: Sequence[SaleRecord]) -> Iterator[tuple[str, str]]:
    """(sale id, reason) of every record but the first of one transfer: same parcel, and same day and price or deed."""
    first: dict[tuple[str, str, int, float], str] = {}
    for sale in sorted(sales, key=lambda sale: (sale.day, sale.sale_id)):
        keys = [(sale.property_id, "", sale.day, sale.price)]
        if sale.instrument_number:
            keys.append((sale.property_id, sale.instrument_number, 0, 0.0))
        known = next((first[key] for key in keys if key in first), None)
        for key in keys:
            first.setdefault(key, sale.sale_id)
        if known is not None:
            what = "the same parcel, day and price" if keys[0] in first and first[keys[0]] == known else "the same deed"
            yield sale.sale_id, f"The transfer is recorded already as sale {known}: {what}."


def flips(sales: Sequence[SaleRecord], thresholds: Thresholds) -> Iterator[FoundFlag]:
    """Both sales of a resale within the months given at a price that differs by the share given or more."""
    before: dict[str, SaleRecord] = {}
    flagged: set[str] = set()
    for sale in sorted(sales, key=lambda sale: (sale.day, sale.sale_id)):
        if sale.price <= thresholds.nominal_price:
            continue
        earlier = before.get(sale.property_id)
        before[sale.property_id] = sale
        if earlier is None or sale.day - earlier.day > thresholds.flip_months * _DAYS_A_MONTH:
            continue
        change = sale.price / earlier.price - 1.0
        if abs(change) < thresholds.flip_change:
            continue
        span = f"{sale.day - earlier.day} days"
        if earlier.sale_id not in flagged:
            yield FoundFlag(earlier.sale_id, "flip", f"Resold {span} later as sale {sale.sale_id} for {change:+.0%}.")
        flagged.add(sale.sale_id)
        yield FoundFlag(sale.sale_id, "flip", f"A resale {span} after sale {earlier.sale_id}, for {change:+.0%}.")
