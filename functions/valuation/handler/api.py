"""The module's API, to which each file of routes adds its own."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from shared.api import Api

api = Api("valuation")

COUNTY = "/v1/counties/{county_id}"
PageToken = Annotated[str | None, Query()]
