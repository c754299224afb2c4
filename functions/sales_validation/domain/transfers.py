"""Transfers of several sale records: one deed over several parcels, or one deal of the same parties. Pure.

Every record of such a transfer carries the whole price, so none of them is the price of its parcel. Recorders write one
deed's number in several ways (a suffix for each further parcel, leading zeros, hyphens), some sources bring no number,
and one deal may be recorded as several deeds. So records of one day and price are also put together by their parties.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeVar

from functions.sales_validation.domain.parameters import MIN_REPEATED_DIGITS
from functions.sales_validation.domain.sale_records import SaleRecord

Key = tuple[str, ...]
Item = TypeVar("Item")

_RUNS = re.compile(r"\d+|[^\W\d_]+")
_WORDS = re.compile(r"[^\W_]+")
_NUMBER_NAMES = frozenset(
    {
        "NO", "NR", "NUM", "NUMBER", "DOC", "DOCUMENT", "INST", "INSTR", "INSTRUMENT", "DEED", "REC",
        "RECORDING", "RECEPTION", "BOOK", "BK", "VOL", "VOLUME", "LIBER", "REEL", "PAGE", "PG", "P", "FOLIO",
    }
)  # fmt: skip
"""Words that name the number, and are no part of it."""
_NAME_FORMS = frozenset(
    {
        "LLC", "LC", "INC", "INCORPORATED", "CORP", "CORPORATION", "CO", "COMPANY", "LTD", "LIMITED", "LP",
        "LLP", "PLLC", "TRUSTEE", "TRUSTEES", "TR", "ETAL", "ET", "AL", "ETUX", "UX", "ETVIR", "VIR", "AND",
        "THE", "OF", "JR", "SR",
    }
)  # fmt: skip
"""Words that one record of a party has and another lacks; they distinguish no two parties."""
_UNKNOWN_PARTIES = frozenset(
    frozenset(words.split()) for words in ("UNKNOWN", "N A", "NA", "NONE", "NOT AVAILABLE", "VARIOUS", "SEE DEED")
)


def parcels_of_transfers(sales: Sequence[SaleRecord], nominal_price: float) -> Mapping[str, int]:
    """Numbers of parcels of the sales' transfers, by sale id; transfers of one parcel are left out.

    Records of one day with one deed's number and one price (or beside it a nominal one) are one transfer, and so are
    records of one day and price between the same seller and buyer. A party that one record does not name is taken for
    the one that the others name, where they name the same. A seller who sells several parcels to several buyers on a
    day, as builders do, makes several transfers.
    """
    groups = _TransferGroups()
    by_day: dict[int, list[SaleRecord]] = defaultdict(list)
    for sale in sales:
        by_day[sale.day].append(sale)
    for day_sales in by_day.values():
        _join_by_deed(groups, day_sales, nominal_price)
        _join_by_parties(groups, [sale for sale in day_sales if sale.price > nominal_price])
    return _parcel_counts(groups, sales)


def deed_keys(number: str) -> tuple[Key, ...]:
    """The keys that a deed's number is known by, in each way in which recorders write it; none for a placeholder.

    A suffix of letters, punctuation and leading zeros distinguish no two deeds of one day: `70001D`, `0070001` and
    `No. 70-001` are one. A book and a page are known with their zeros or without.
    """
    runs = [run for run in _RUNS.findall(number.upper()) if run not in _NUMBER_NAMES]
    while runs and not runs[-1].isdigit():
        runs.pop()
    digits = "".join(run for run in runs if run.isdigit()).lstrip("0")
    if not digits or (len(set(digits)) == 1 and len(digits) >= MIN_REPEATED_DIGITS):
        return ()
    first = next(number for number, run in enumerate(runs) if run.isdigit())
    whole = "".join((*runs[:first], "".join(runs[first:]).lstrip("0")))
    parts = tuple(run.lstrip("0") if run.isdigit() else run for run in runs)
    return ("whole", whole), ("parts", *parts)


def party_key(name: str) -> Key:
    """The words of a party's name, in whatever order and with whatever form of a company; empty where it is unknown."""
    words = frozenset(_WORDS.findall(name.replace(".", "").replace("'", "").upper()))
    significant = words - _NAME_FORMS or words
    return () if significant in _UNKNOWN_PARTIES else tuple(sorted(significant))


class _TransferGroups:
    """Groups of records that belong to one transfer, as a disjoint-set forest."""

    def __init__(self) -> None:
        self._root: dict[str, str] = {}

    def join(self, sales: Iterable[SaleRecord]) -> None:
        for first, second in pairwise(sales):
            self._root[self.root_of(second.sale_id)] = self.root_of(first.sale_id)

    def root_of(self, sale_id: str) -> str:
        root = sale_id
        while (above := self._root.get(root, root)) != root:
            root = above
        while (above := self._root.get(sale_id, sale_id)) != sale_id:
            self._root[sale_id] = root
            sale_id = above
        return root


def _join_by_deed(groups: _TransferGroups, day_sales: Sequence[SaleRecord], nominal_price: float) -> None:
    for members in _buckets(day_sales, lambda sale: deed_keys(sale.instrument_number)):
        prices = {sale.price for sale in members if sale.price > nominal_price}
        if len(prices) == 1:  # several prices are the parts of one price, or several deeds of one page
            groups.join(members)


def _join_by_parties(groups: _TransferGroups, day_sales: Sequence[SaleRecord]) -> None:
    for same_price in _buckets(day_sales, lambda sale: [(str(sale.price),)]):
        parties = [_Parties(sale, party_key(sale.seller), party_key(sale.buyer)) for sale in same_price]
        for members in _buckets(
            parties, lambda pair: [(pair.seller, pair.buyer)] if pair.seller and pair.buyer else []
        ):
            groups.join(pair.sale for pair in members)
        _join_unnamed(groups, parties, lambda pair: pair.seller, lambda pair: pair.buyer)
        _join_unnamed(groups, parties, lambda pair: pair.buyer, lambda pair: pair.seller)


class _Parties(NamedTuple):
    """A record with its parties' keys."""

    sale: SaleRecord
    seller: Key
    buyer: Key


def _join_unnamed(
    groups: _TransferGroups,
    parties: Sequence[_Parties],
    this: Callable[[_Parties], Key],
    other: Callable[[_Parties], Key],
) -> None:
    """Records without a number that name one party alone join those of that party, where these name one other."""
    for members in _buckets(parties, lambda pair: [this(pair)] if this(pair) else []):
        unnamed = [pair for pair in members if not other(pair) and not deed_keys(pair.sale.instrument_number)]
        named = [pair for pair in members if other(pair)]
        if unnamed and len({other(pair) for pair in named}) <= 1:
            groups.join(pair.sale for pair in (*unnamed, *named))


def _buckets(items: Iterable[Item], keys: Callable[[Item], Iterable[Hashable]]) -> list[list[Item]]:
    """The items of each key that two or more of them have."""
    buckets: dict[Hashable, list[Item]] = defaultdict(list)
    for item in items:
        for key in keys(item):
            buckets[key].append(item)
    return [members for members in buckets.values() if len(members) > 1]


def _parcel_counts(groups: _TransferGroups, sales: Sequence[SaleRecord]) -> Mapping[str, int]:
    parcels: dict[str, set[str]] = defaultdict(set)
    for sale in sales:
        parcels[groups.root_of(sale.sale_id)].add(sale.property_id)
    counts = {sale.sale_id: len(parcels[groups.root_of(sale.sale_id)]) for sale in sales}
    return {sale_id: number for sale_id, number in counts.items() if number > 1}
