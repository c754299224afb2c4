"""The query parameters of paging."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import AfterValidator

MAX_PAGE_SIZE = 1000
"""A choice: Lambda answers with 6 MB at most, so that an item may take 6 kB."""

PageSize = Annotated[
    int,
    Query(ge=1, description=f"Items a page; more than {MAX_PAGE_SIZE} is taken as that."),
    AfterValidator(lambda size: min(size, MAX_PAGE_SIZE)),
]
"""The query parameter page_size."""
