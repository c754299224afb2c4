"""The appraisal library's errors as problems of the caller."""

from shared.appraisal.errors import AppraisalInputError
from shared.problems import Unprocessable

FAULT_POINTERS = {
    "valuation-date-not-covered": "/valuation_date",
    "property-not-comparable": "/property_id",
    "sales-without-evidence": "/valuation_date",
    "too-few-sales": "/valuation_date",
}
"""JSON pointers into the request, by slug."""

_SLUGS = {
    "valuation_day": "valuation-date-not-covered",
    "day": "valuation-date-not-covered",
    "on": "valuation-date-not-covered",
    "living_area_sqft": "property-not-comparable",
    "longitude": "property-not-comparable",
    "sale_price": "sales-without-evidence",
}


def no_value_problem(error: AppraisalInputError) -> Unprocessable:
    """The library's error as a problem; the argument it names decides which part of the request is at fault."""
    slug = _SLUGS.get(error.argument, "too-few-sales")
    return Unprocessable(f"No value can be given: {error.problem}.", pointer=FAULT_POINTERS[slug], slug=slug)
