"""Why there is no value: the library's reasons as the caller's problem."""

from shared.appraisal.errors import AppraisalInputError
from shared.problems import Unprocessable

POINTERS = {
    "valuation-date-not-covered": "/body/valuation_date",
    "property-not-comparable": "/body/property_id",
    "sales-without-evidence": "/body/valuation_date",
    "too-few-sales": "/body/valuation_date",
}
"""Which part of the request each reason is about, by slug."""

_SLUGS = {
    "valuation_day": "valuation-date-not-covered",
    "day": "valuation-date-not-covered",
    "on": "valuation-date-not-covered",
    "living_area_sqft": "property-not-comparable",
    "longitude": "property-not-comparable",
    "sale_price": "sales-without-evidence",
}


def refusal(error: AppraisalInputError) -> Unprocessable:
    """The library's reason as a problem: what it names decides which part of the request is at fault."""
    slug = _SLUGS.get(error.argument, "too-few-sales")
    return Unprocessable(f"No value can be given: {error.problem}.", pointer=POINTERS[slug], slug=slug)
