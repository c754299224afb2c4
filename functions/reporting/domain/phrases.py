"""The phrases of which sentences are made: each puts figures into words, and no figure of its own."""

from decimal import Decimal

from shared.typesetting import display

_ATTRIBUTE = "attributes."
"""Begins the name of a field that is one of the county's own attributes."""


def number_of(count: int, noun: str, plural: str | None = None) -> str:
    """`1 parcel`, `2,345 parcels`."""
    return f"{display.count(count)} {noun if count == 1 else plural or noun + 's'}"


def are(count: int) -> str:
    """The verb after a number: `is` after one."""
    return "is" if count == 1 else "are"


def have(count: int) -> str:
    """The verb after a number: `has` after one."""
    return "has" if count == 1 else "have"


def changed_by(amount: Decimal, percent: Decimal | None) -> str:
    """`changed by +$1,234 (+3.2%)`, or that nothing changed."""
    if not amount:
        return "is the same"
    share = "" if percent is None else f" ({display.percent_change(percent)})"
    return f"changed by {display.dollar_change(amount)}{share}"


def sentence(text: str) -> str:
    """A text as a sentence: its first letter a capital."""
    return text[:1].upper() + text[1:]


_UNITS = {"sqft": "sq ft", "ft": "ft"}
"""Units at the end of identifiers, as they are written."""


def label(identifier: str) -> str:
    """An identifier in words: `not_arms_length` is `Not arms length`, `land_area_sqft` is `Land area (sq ft)`; the name
    of `attributes.name` stays as it is.
    """
    if identifier.startswith(_ATTRIBUTE):
        return display.name(identifier.removeprefix(_ATTRIBUTE))
    words = identifier.replace("_", " ").capitalize()
    for unit, written in _UNITS.items():
        if words.endswith(f" {unit}"):
            words = f"{words.removesuffix(unit)}({written})"
    return display.name(words)
