"""A county of 60 sales, whose study of 2025 can be computed by hand."""

import json
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, text

from shared.db import unit_of_work
from shared.db.models import Assessment, PropertyOperational, Sale
from tests.integration.evidence_county import COUNTY, PROVENANCE, add_county

SETTINGS: dict[str, Any] = {
    "state": "washington",
    "land_use_attribute": "land_use",
    "excluded_land_uses": ["88"],
    "affidavit_attribute": "reet",
    "reason_attribute": "dor_code",
    "reasons": {"not_arms_length": 1, "nominal_price": 10, "invalid": 26},
    "instruments": ["WD", "REC"],
    "instrument_reasons": {"QCD": 9},
    "strata": [
        {"name": "Residential to 300,000", "land_use_codes": ["11", "14"], "max_value": "300000"},
        {"name": "Residential above", "land_use_codes": ["11", "14"], "min_value": "300000.01"},
        {"name": "Commercial", "land_use_codes": ["52"]},
        {"name": "Manufacturing", "land_use_codes": ["21"]},
    ],
}
"""The numbers 9, 10 and 26 are the county's own."""


@dataclass
class Case:
    """A sale with its parcel and the parcel's values of this year and last."""

    value: str
    price: str = "200000"
    land_use: str = "11"
    sold: date = date(2024, 9, 1)
    deed: str = "WD"
    validity: str = "valid"
    previous: str | None = "180000"
    reet: str | None = "E"
    attributes: dict[str, Any] = field(default_factory=dict)


def sixty_sales() -> list[Case]:
    """48 ordinary valid sales, four at the limits of ratios, six invalid ones, and two outside of the period."""
    low = [Case("190000") for _ in range(30)]
    low[0].sold, low[1].sold = date(2024, 5, 1), date(2025, 4, 30)
    high = [Case("380000", "400000", "14", deed="REC") for _ in range(14)]
    commercial = [Case("900000", "1000000", "52") for _ in range(4)]
    limits = [Case(value) for value in ("49480.20", "49500", "346500", "346519.80")]
    invalid = [
        Case("190000", validity="not_arms_length"),
        Case("190000", validity="not_arms_length", previous=None),
        Case("190000", "10", validity="nominal_price"),
        Case("190000", deed="QCD"),
        Case("190000", validity="not_arms_length", attributes={"dor_code": "27"}),
        Case("190000", validity="valid"),  # and decided to be invalid
    ]
    outside = [Case("190000", sold=date(2024, 4, 30)), Case("190000", sold=date(2025, 5, 1))]
    return low + high + commercial + limits + invalid + outside


DECIDED_INVALID = 57
"""The number of the sale that a person has decided to be invalid."""


def add_study(cases: list[Case], settings: dict[str, Any] | None = None) -> None:
    """Add the county with these sales, S00 and on, and four parcels that were not sold."""
    add_county()
    configuration = {"plugin_settings": {"state_submission": SETTINGS if settings is None else settings}}
    own = {"county_id": COUNTY, **PROVENANCE}
    unsold = [Case("250000"), Case("700000", land_use="52"), Case("5000", land_use="88"), Case("5000", land_use="99")]
    parcels, rolls, sales = list[dict[str, Any]](), list[dict[str, Any]](), list[dict[str, Any]]()
    for number, case in enumerate([*cases, *unsold]):
        key = f"P{number:02}"
        attributes = {"land_use": case.land_use} if case.land_use else {}
        parcels.append({"property_id": key, "parcel_number": f"1-{key}", "attributes": attributes, **own})
        for year, value in ((2025, case.value), (2024, case.previous)):
            if value is not None:
                rolls.append(
                    {
                        "assessment_id": f"{key}-{year}",
                        "property_id": key,
                        "roll_year": year,
                        "assessed_value": Decimal(value),
                        **own,
                    }
                )
    for number, case in enumerate(cases):
        reet = {} if case.reet is None else {"reet": f"{case.reet}{number:04}"}
        sales.append(
            {
                "sale_id": f"S{number:02}",
                "property_id": f"P{number:02}",
                "sale_date": case.sold,
                "sale_price": Decimal(case.price),
                "validity_code": case.validity,
                "deed_type": case.deed,
                "attributes": case.attributes | reet,
                **own,
            }
        )
    with unit_of_work(COUNTY) as connection:
        connection.execute(
            text("UPDATE counties SET configuration = CAST(:configuration AS jsonb)"),
            {"configuration": json.dumps(configuration)},
        )
        connection.execute(insert(PropertyOperational), parcels)
        connection.execute(insert(Assessment), rolls)
        connection.execute(insert(Sale), sales)


def decide_invalid(sale_id: str) -> None:
    """Decide that a sale is invalid, as a person does."""
    with unit_of_work(COUNTY) as connection:
        connection.execute(
            text(
                "INSERT INTO sale_decisions (county_id, decision_id, sale_id, decision, note, validity_code, rules,"
                " decided_by, decided_at, request_digest, row_hash) VALUES (:county, gen_random_uuid(), :sale,"
                " 'invalid', 'n', 'valid', '[]', 'a', :now, '', '')"
            ),
            {"county": COUNTY, "sale": sale_id, "now": datetime.fromisoformat("2025-05-02T00:00:00+00:00")},
        )
