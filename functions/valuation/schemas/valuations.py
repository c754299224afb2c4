"""Valuations as the API shows them."""

from datetime import date
from uuid import UUID

from pydantic import Field

from shared.schemas import RequestSchema


class ValuationRequest(RequestSchema):
    """A property to value as of a day, by the champion of its class unless a model is named."""

    property_id: str = Field(min_length=1, max_length=200)
    valuation_date: date
    model_id: UUID | None = None
