"""The evidence of an appeal, all of whose names are one."""

from datetime import date
from decimal import Decimal
from typing import Any

from functions.reporting.render.sections.valuation import comparables_map
from functions.reporting.reports.evidence_packet import Evidence, EvidencePacketParameters, packet_report
from functions.reporting.reports.report_type import Report
from shared.contracts.valuation import ValuationResponse
from tests.unit.reporting.example_property import lot, parcel_drawing, property_record
from tests.unit.reporting.example_study import MADE_AT, STUDY_ID, finished, results

_COMPARABLES = 7


def valuation(name: str = "Elm Street") -> ValuationResponse:
    """A value by seven comparables with two adjustments each, and four contributions."""
    return ValuationResponse.model_validate(
        {
            "valuation_id": STUDY_ID,
            "property_id": "P1",
            "valuation_date": date(2026, 1, 1),
            "method": name,
            "estimate": Decimal("361250.75"),
            "interval": {"low": Decimal(320_000), "high": Decimal(405_000), "coverage": 0.8},
            "confidence": 0.61,
            "contributions": {
                "base": Decimal("300000.75"),
                "features": [
                    {"name": name, "amount": Decimal(80_000), "value": name},
                    {"name": "living_area_sqft", "amount": Decimal(-25_000), "value": 1850.5},
                    {"name": "condition", "amount": Decimal("6250.00"), "value": None},
                ],
            },
            "comparables": [_comparable(number, name) for number in range(_COMPARABLES)],
            "time_trend": {
                "first_sale_date": date(2020, 1, 1),
                "last_sale_date": date(2025, 12, 1),
                "sales": 4100,
                "annual_change_percent": 3.25,
                "standard_error_percent": 0.5,
            },
            "flags": [{"code": "large_change", "text": name or "changed"}],
            "sales_used": 4100,
            "sales_excluded": {"not_arms_length": 12},
            "created_by": name,
            "created_at": MADE_AT,
        }
    )


def _comparable(number: int, name: str) -> dict[str, Any]:
    price = Decimal(340_000 + 4000 * number)
    return {
        "sale_id": f"S{number}",
        "property_id": f"C{number}",
        "address": name,
        "sale_date": date(2025, 1 + number, 3),
        "sale_price": price,
        "distance_km": 0.21 * (number + 1),
        "similarity": 0.9 - 0.05 * number,
        "adjustments": [
            {
                "name": "living_area_sqft",
                "amount": Decimal(-1500),
                "percent": -0.4,
                "subject_value": 1850.5,
                "comparable_value": 1901.0,
            },
            {"name": name, "amount": Decimal(2500), "percent": 0.7, "subject_value": name, "comparable_value": name},
        ],
        "adjusted_price": price + 1000,
        "weight": 0.3 - 0.04 * number,
    }


def packet_of(name: str) -> Report:
    """The packet of a property that has one name for everything, with all elements."""
    value = valuation(name)
    places = {f"C{number}": lot(number - 3, 2 * number - 5) for number in range(_COMPARABLES)}
    study = results()
    study["strata"][0]["value"] = name
    evidence = Evidence(
        property_record(name),
        parcel_drawing(),
        value,
        comparables_map(value, lot(0, 0, property_id="P1"), places),
        finished(study),
    )
    reference = name[:200].strip() or None
    parameters = EvidencePacketParameters(property_id="P1", reference=reference, hearing_date=date(2026, 9, 14))
    return packet_report(parameters, evidence)
