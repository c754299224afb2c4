"""Sentences say nothing that the document does not: each number in one is, rounded, a number of the document."""

import re
from collections.abc import Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import orjson
import pytest

from functions.reporting.domain.contents import Statements
from functions.reporting.reports.registry import REPORT_TYPES
from functions.reporting.reports.report_type import Report
from tests.unit.reporting.examples import EXAMPLES

NUMBER = re.compile(r"(?<![\w.])[-−+]?\$?\d[\d,]*(?:\.\d+)?%?")
_DATE = re.compile(
    r"\b(?:January|February|March|April|May|June|July|August|September|October|November|December) \d{1,2}, \d{4}"
    r"|\b\d{4}-\d{2}-\d{2}"
)


def sentences(report: Report) -> Iterator[str]:
    for section in report.contents.sections:
        for block in section.blocks:
            if isinstance(block, Statements):
                yield from (statement.text for statement in block.statements)


def numbers_of(document: Any) -> Iterator[Decimal]:
    """Every number of a document, those of its texts included."""
    match document:
        case bool() | None:
            return
        case dict():
            for value in document.values():
                yield from numbers_of(value)
        case list() | tuple():
            for value in document:
                yield from numbers_of(value)
        case int() | float():
            yield Decimal(str(document))
        case str():
            if re.fullmatch(r"-?\d+(\.\d+)?", document):
                yield Decimal(document)
            else:
                yield from (Decimal(found.replace(",", "")) for found in re.findall(r"\d[\d,]*(?:\.\d+)?", document))


def dates_of(document: Any) -> set[str]:
    text = orjson.dumps(document).decode()
    days = (date.fromisoformat(found) for found in re.findall(r"\b(\d{4}-\d{2}-\d{2})", text))
    return {form for day in days for form in (day.isoformat(), f"{day:%B} {day.day}, {day.year}")}


def unknown_numbers(sentence: str, document: Any) -> list[str]:
    known = set(numbers_of(document))
    dates = dates_of(document)
    unknown = [found for found in _DATE.findall(sentence) if found not in dates]
    for found in NUMBER.findall(_DATE.sub(" ", sentence)):
        size = abs(Decimal(found.lstrip("−-+").removeprefix("$").removesuffix("%").replace(",", "")))
        places = Decimal(1).scaleb(-len(found.removesuffix("%").partition(".")[2]))
        shares = [100 * number for number in known] if found.endswith("%") else []
        if not any(abs(number).quantize(places, ROUND_HALF_UP) == size for number in (*known, *shares)):
            unknown.append(found)
    return unknown


@pytest.mark.parametrize("report_type", REPORT_TYPES)
def test_every_number_of_a_sentence_is_a_number_of_the_document(report_type: str) -> None:
    report = EXAMPLES[report_type]("Elm Street")
    document = orjson.loads(orjson.dumps(report.document, default=str))
    assert [(text, found) for text in sentences(report) if (found := unknown_numbers(text, document))] == []


def test_a_number_that_is_not_in_the_document_is_found() -> None:
    document = {"share": 0.0625, "total": "1234.56", "day": "2026-01-01", "sentence": "above 3.0"}
    assert unknown_numbers("+$1,235 (6.3%) on January 1, 2026, above 3.0", document) == []
    assert unknown_numbers("−$1,236 (6.4%) on January 2, 2026", document) == ["January 2, 2026", "−$1,236", "6.4%"]
