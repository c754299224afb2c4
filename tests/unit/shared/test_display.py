"""Numbers and names on paper."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.typesetting import display


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        ("1234567.49", "$1,234,567"),
        ("1234567.50", "$1,234,568"),
        ("-1234.5", "−$1,235"),
        ("-0.49", "$0"),
        ("0", "$0"),
        ("999999999999.99", "$1,000,000,000,000"),
    ],
)
def test_dollars_are_rounded_half_up_and_grouped(amount: str, written: str) -> None:
    assert display.dollars(Decimal(amount)) == written


def test_changes_carry_their_sign() -> None:
    assert display.dollar_change(Decimal("1234.00")) == "+$1,234"
    assert display.dollar_change(Decimal("-1234.00")) == "−$1,234"
    assert display.dollar_change(Decimal(0)) == "$0"
    assert display.count_change(-12_000) == "−12,000"
    assert display.percent_change(Decimal("3.25")) == "+3.3%"
    assert display.percent_change(Decimal("-0.04")) == "0.0%"


def test_what_is_missing_is_a_dash() -> None:
    written = [
        display.dollars(None),
        display.dollar_change(None),
        display.count(None),
        display.percent_change(None),
        display.decimals(None, 3),
        display.interval(0.9, None, 3),
    ]
    assert set(written) == {display.MISSING}


def test_ratios_keep_their_decimals() -> None:
    assert display.decimals(0.9995, 3) == "1.000"
    assert display.decimals(-0.0271, 3) == "−0.027"
    assert display.decimals(-0.0001, 3) == "0.000"
    assert display.interval(-0.05, 0.05, 3) == "−0.050 to 0.050"


def test_days_are_written_out() -> None:
    assert display.day(date(2026, 3, 2)) == "March 2, 2026"
    assert display.moment(datetime(2026, 3, 2, 5, 7, tzinfo=UTC)) == "March 2, 2026, 05:07 UTC"


def test_names_are_short_and_on_one_line() -> None:
    assert display.name("a\n\tb") == "a b"
    assert display.name(None) == "(none)"
    assert display.name(" ") == "(blank)"
    assert len(display.name("x y " * 100)) == 80


@given(st.text())
def test_a_name_has_no_long_stretch_that_a_cell_could_not_break(text: str) -> None:
    shown = display.name(text)
    assert max(map(len, shown.replace("\u200b", " ").split()), default=0) <= 18
    assert "\n" not in shown


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=2))
def test_dollars_can_be_read_back_within_half_a_dollar(amount: Decimal) -> None:
    read = Decimal(display.dollars(amount).replace("−", "-").replace("$", "").replace(",", ""))
    assert abs(read - amount) <= Decimal("0.5")
