"""Which sales are unfit as evidence of market value, and why."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.sales_validation.domain.rules import Thresholds, broken_rules
from functions.sales_validation.domain.sale_records import SaleRecord
from shared.counties.configuration import SalesValidationSettings

SETTINGS = SalesValidationSettings()
THRESHOLDS = Thresholds(
    nominal_price=float(SETTINGS.nominal_price),
    flip_months=SETTINGS.flip_months,
    flip_change=SETTINGS.flip_change,
    outlier_deviations=SETTINGS.outlier_deviations,
    deed_types=SETTINGS.deed_types_not_market,
    sale_types=SETTINGS.sale_types_not_market,
)
CLEAN = SaleRecord(
    sale_id="S1",
    property_id="P1",
    property_class="residential",
    day=738_000,  # 2021-07-27
    price=400_000.0,
    validity_code="valid",
    sale_type="improved",
    deed_type="WD",
    instrument_number="I1",
    parcel_count=1,
    buyer="JONES MARY",
    seller="SMITH JOHN",
    newest_improvement=1990,
    total_value=390_000.0,
    changed_since_decision=False,
)
OTHERS = [
    replace(
        CLEAN,
        sale_id=f"O{number}",
        property_id=f"Q{number}",
        instrument_number=f"J{number}",
        buyer=f"BUYER{number} ANN",
    )
    for number in range(5)
]


def rules(*sales: SaleRecord) -> dict[str, set[str]]:
    figures: dict[str, set[str]] = {}
    for flag in broken_rules(sales, THRESHOLDS):
        figures.setdefault(flag.sale_id, set()).add(flag.rule)
        assert flag.reason.endswith(".")
    return figures


def test_an_ordinary_sale_is_not_flagged() -> None:
    assert rules(CLEAN, *OTHERS) == {}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"validity_code": "not_arms_length"}, "not_arms_length"),
        ({"validity_code": "multi_parcel"}, "multi_parcel"),
        ({"parcel_count": 3}, "multi_parcel"),
        ({"price": 10.0}, "nominal_price"),
        ({"price": 0.0}, "nominal_price"),
        ({"price": -5.0}, "nominal_price"),
        ({"validity_code": "nominal_price"}, "nominal_price"),
        ({"price": 90_000_000.0}, "implausible_price"),
        ({"price": 1_500.0}, "implausible_price"),
        ({"deed_type": "qcd"}, "deed_type"),
        ({"deed_type": "Sheriff's deed"}, "deed_type"),
        ({"sale_type": "FAMILY SALE"}, "sale_type"),
        ({"buyer": "SMITH, ANNA"}, "related_parties"),
        ({"seller": "FIRST NATIONAL BANK"}, "institutional_party"),
        ({"buyer": "County of King"}, "institutional_party"),
        ({"seller": "CITIBANK N.A."}, "institutional_party"),
        ({"seller": "First Baptist Church"}, "institutional_party"),
        ({"newest_improvement": 2022}, "improved_after_sale"),
        ({"changed_since_decision": True}, "changed_since_decision"),
    ],
)
def test_each_ground_is_found_alone_and_in_no_other_sale(change: dict[str, object], rule: str) -> None:
    assert rules(replace(CLEAN, **change), *OTHERS) == {"S1": {rule}}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"newest_improvement": 2021},
        {"newest_improvement": None},
        {"buyer": "", "seller": ""},
        {"buyer": "NA JUNG HO", "seller": "CHURCH JOHN"},
        {"buyer": "FAIRBANKS LEE", "seller": "BANKS ANN"},
        {"seller": "SMITH HOMES LLC", "buyer": "SMITH JOHN"},
        {"deed_type": "WARRANTY DEED", "sale_type": ""},
        {"parcel_count": None},
        {"validity_code": "unverified"},
    ],
)
def test_what_only_looks_like_a_ground_is_none(change: dict[str, object]) -> None:
    assert rules(replace(CLEAN, **change), *OTHERS) == {}  # type: ignore[arg-type]


def test_a_deed_over_several_parcels_flags_the_sale_of_each() -> None:
    second = replace(CLEAN, sale_id="S2", property_id="P2", parcel_count=None)
    assert rules(CLEAN, second) == {"S1": {"multi_parcel"}, "S2": {"multi_parcel"}}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("70001", "70001D"),
        ("70001", "0070001"),
        ("70001", "No. 70-001"),
        ("2024-0001234", "20240001234"),
        ("Book 0123 Page 0456", "123/456"),
        ("r70001a", "R70001-B"),
    ],
)
def test_one_deed_is_known_however_its_number_is_written(first: str, second: str) -> None:
    unnamed = replace(CLEAN, buyer="", seller="")
    sales = [
        replace(unnamed, sale_id=f"S{n}", property_id=f"P{n}", instrument_number=number)
        for n, number in enumerate((first, second))
    ]
    assert rules(*sales) == {"S0": {"multi_parcel"}, "S1": {"multi_parcel"}}


@pytest.mark.parametrize("placeholder", ["", "N/A", "0", "000000", "99999999", "UNKNOWN"])
def test_a_number_that_is_none_makes_no_deed_of_two(placeholder: str) -> None:
    sales = [
        replace(
            CLEAN, sale_id=f"S{n}", property_id=f"P{n}", instrument_number=placeholder, buyer=f"BUYER{n}", seller=""
        )
        for n in range(2)
    ]
    assert rules(*sales) == {}


@pytest.mark.parametrize(
    ("sellers", "buyers", "number"),
    [
        (("PINE LLC", "Pine, L.L.C."), ("OAK GROUP INC", "OAK GROUP"), ""),
        (("PINE LLC", "PINE LLC"), ("SMITH JOHN & MARY", "MARY AND JOHN SMITH"), ""),
        (("PINE LLC", "PINE LLC"), ("OAK GROUP", "OAK GROUP"), "of its own"),
        (("PINE LLC", "PINE LLC"), ("OAK GROUP", ""), ""),
        (("PINE LLC", "PINE LLC"), ("", "unknown"), ""),
        (("", ""), ("OAK GROUP", "OAK GROUP"), ""),
    ],
)
def test_one_deal_is_known_by_its_day_price_and_parties(
    sellers: tuple[str, str], buyers: tuple[str, str], number: str
) -> None:
    sales = [
        replace(
            CLEAN,
            sale_id=f"S{n}",
            property_id=f"P{n}",
            instrument_number=f"8000{n}" if number else "",
            seller=sellers[n],
            buyer=buyers[n],
        )
        for n in range(2)
    ]
    assert rules(*sales) == {"S0": {"multi_parcel"}, "S1": {"multi_parcel"}}
    for apart in ({"price": 410_000.0}, {"day": CLEAN.day + 1}):
        assert rules(sales[0], replace(sales[1], **apart)) == {}


def test_a_builder_who_sells_like_lots_to_several_buyers_on_a_day_makes_several_transfers() -> None:
    lots = [
        replace(CLEAN, sale_id=f"S{n}", property_id=f"P{n}", seller="PINE HOMES LLC", buyer=buyer, instrument_number="")
        for n, buyer in enumerate(("JONES MARY", "BROWN ANN", "DOE JANE", ""))
    ]
    assert rules(*lots) == {}


def test_a_whole_price_on_one_record_of_a_deed_is_for_the_parcels_of_the_others_too() -> None:
    rest = [replace(CLEAN, sale_id=f"R{n}", property_id=f"R{n}", price=0.0) for n in range(2)]
    assert rules(CLEAN, *rest)["S1"] == {"multi_parcel"}


def test_a_deed_with_a_price_for_each_of_its_parcels_has_prices_of_one_parcel() -> None:
    parts = [replace(CLEAN, sale_id=f"S{n}", property_id=f"P{n}", price=300_000.0 + 50_000 * n) for n in range(2)]
    assert rules(*parts) == {}


@pytest.mark.parametrize(
    ("change", "flagged"),
    [
        ({"price": 90_000.0}, True),
        ({"price": 380_000.0}, False),
        ({"price": 90_000.0, "newest_improvement": 2020}, False),
        ({"price": 90_000.0, "total_value": None}, False),
        ({"price": 90_000.0, "total_value": 92_000.0}, False),
    ],
    ids=["a lot", "a new home", "built before", "no value known", "valued as a lot"],
)
def test_a_home_built_in_the_year_of_its_sale_for_the_price_of_a_lot_is_flagged(
    change: dict[str, object], flagged: bool
) -> None:
    sale = replace(CLEAN, **{"newest_improvement": 2021, **change})  # type: ignore[arg-type]
    assert rules(sale, *OTHERS) == ({"S1": {"improved_in_year_of_sale"}} if flagged else {})


def test_a_lot_s_price_is_known_by_a_model_where_the_roll_still_has_the_lot() -> None:
    sale = replace(CLEAN, newest_improvement=2021, price=90_000.0, total_value=92_000.0)
    (flag,) = broken_rules([sale, *OTHERS], THRESHOLDS, {"S1": 400_000.0})
    assert flag.rule == "improved_in_year_of_sale"
    assert "22% of $400,000" in flag.reason


def test_of_a_transfer_recorded_twice_all_but_the_first_are_flagged() -> None:
    again = replace(CLEAN, sale_id="S2", instrument_number="")
    by_deed = replace(CLEAN, sale_id="S3", price=400_500.0)
    assert rules(again, by_deed, CLEAN) == {"S2": {"duplicate"}, "S3": {"duplicate"}}


def test_a_quick_resale_flags_both_sales_and_a_late_or_a_like_one_neither() -> None:
    def resale(days: int, price: float) -> dict[str, set[str]]:
        return rules(CLEAN, replace(CLEAN, sale_id="S2", instrument_number="I2", day=CLEAN.day + days, price=price))

    assert resale(120, 560_000.0) == {"S1": {"flip"}, "S2": {"flip"}}
    assert resale(120, 420_000.0) == {}
    assert resale(500, 560_000.0) == {}


def test_in_a_chain_of_resales_each_sale_is_flagged_once() -> None:
    chain = [
        replace(CLEAN, sale_id=f"S{n}", instrument_number=f"I{n}", day=CLEAN.day + 60 * n, price=100_000.0 * 2**n)
        for n in range(3)
    ]
    flags = [(flag.sale_id, flag.rule) for flag in broken_rules(chain, THRESHOLDS)]
    assert sorted(flags) == [("S0", "flip"), ("S1", "flip"), ("S2", "flip")]


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 400), st.sampled_from([0.0, 5e4, 4e5, 9e9]), st.integers(0, 2)),
        max_size=12,
    ),
    st.randoms(),
)
def test_a_rule_flags_a_sale_at_most_once_whatever_the_order_of_the_records(
    drawn: list[tuple[int, int, float, int]], random: object
) -> None:
    sales = [
        replace(
            CLEAN,
            sale_id=f"S{number:02}",
            property_id=f"P{index}",
            day=CLEAN.day + day,
            price=price,
            instrument_number=f"I{deed}" if deed else "",
        )
        for number, (index, day, price, deed) in enumerate(drawn)
    ]
    flags = list(broken_rules(sales, THRESHOLDS))
    assert len({(flag.sale_id, flag.rule) for flag in flags}) == len(flags)
    mixed = list(sales)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert set(broken_rules(mixed, THRESHOLDS)) == set(flags)
