"""Lists in the format that a request asks for: a page in JSON, or the whole list as a file."""

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from inspect import signature
from pathlib import Path
from typing import Any, get_args, get_origin
from uuid import uuid4

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from pydantic import BaseModel

from shared import storage
from shared.api.answers import JSON, see_other
from shared.api.negotiation import preferred_type
from shared.api.paging import MAX_PAGE_SIZE
from shared.jobs.large_results import MAX_ANSWER_BYTES
from shared.paging import Page
from shared.problems import BadRequest, Unprocessable
from shared.tables.columns import columns_of, rows_of
from shared.tables.formats import TABLE_FORMATS, TableFormat

MAX_ROWS = 100_000
"""Rows of a list as a file. A choice: API Gateway waits 29 s. To write 100,000 parcels takes 1.3 s of a processor as
Parquet, 1.5 s as CSV and 7.8 s as a workbook; reading their pages comes on top (tests/benchmarks, `list_formats`)."""
LIST_TYPES = (JSON, *(table.media_type for table in TABLE_FORMATS))
_FORMATS = {table.media_type: table for table in TABLE_FORMATS}
_VARY = "Accept"
_COUNTY = "county_id"
_VARIABLE = re.compile(r"\{\w+\}")


def item_schema(function: Callable[..., Any]) -> type[BaseModel] | None:
    """The schema of the items where a route's function answers with a list or a page of one, else None."""
    answered = get_args(signature(function).return_annotation)
    if not answered:
        return None
    body = answered[0]
    if isinstance(body, type) and issubclass(body, Page):
        body = body.model_fields["items"].annotation
    item = get_args(body)[0] if get_origin(body) is list else None
    return item if isinstance(item, type) and issubclass(item, BaseModel) else None


def in_formats(
    function: Callable[..., Response[Any]], path: str, items: type[BaseModel]
) -> Callable[[APIGatewayRestResolver, NextMiddleware], Response[Any]]:
    """A middleware that answers a list's route in the format that the request prefers.

    For a file it calls the route's function itself, for each page. `path` is the route's, `items` the schema of the
    list's items.
    """

    def answer_in_format(app: APIGatewayRestResolver, next_middleware: NextMiddleware) -> Response[Any]:
        media_type = preferred_type(app.current_event.headers.get("accept"), LIST_TYPES)
        if media_type == JSON:
            answered = next_middleware(app)
            answered.headers["Vary"] = _VARY
            return answered
        parameters = app.context["_route_args"]
        return _file_answer(_FORMATS[media_type], items, _pages(function, parameters), path, parameters)

    return answer_in_format


def _pages(function: Callable[..., Response[Any]], parameters: Mapping[str, Any]) -> Iterator[list[Any]]:
    """The items of every page. Raises BadRequest where a page is asked for, Unprocessable beyond MAX_ROWS."""
    if parameters.get("page_token") is not None:
        raise BadRequest("A file holds the whole list: leave out page_token.", slug="page-of-a-file")
    sizes = {"page_size": MAX_PAGE_SIZE} if "page_size" in parameters else {}
    token: dict[str, str] = {}
    total = 0
    while True:
        body: Any = function(**{**parameters, **sizes, **token}).body
        page = body if isinstance(body, Page) else Page.model_construct(items=body, next_page_token=None)
        total += len(page.items)
        if total > MAX_ROWS or (total == MAX_ROWS and page.next_page_token is not None):
            raise Unprocessable(
                f"The list has more than {MAX_ROWS:,} rows, which is as much as a file holds: narrow it by filters, or"
                " take it page by page as JSON.",
                pointer="/query",
                slug="list-too-long",
            )
        yield page.items
        if page.next_page_token is None:
            return
        token = {"page_token": page.next_page_token}


def _file_answer(
    table: TableFormat,
    items: type[BaseModel],
    pages: Iterator[list[Any]],
    path: str,
    parameters: Mapping[str, Any],
) -> Response[Any]:
    """The list as a file: in the answer, or, where it is too large for one, at an address that the answer names."""
    columns = columns_of(items)
    county_id = parameters.get(_COUNTY)
    filename = f"{_name(path, county_id)}.{table.extension}"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, filename)
        table.write(columns, (row for page in pages for row in rows_of(columns, page)), file)
        if county_id is None or file.stat().st_size <= MAX_ANSWER_BYTES:
            content = file.read_bytes()
            headers: dict[str, str | list[str]] = {
                "Content-Disposition": f'attachment; filename="{filename}"',
                "Vary": _VARY,
            }
            return Response(200, table.content_type, content.decode() if table.is_text else content, headers)
        key = storage.county_key(county_id, "lists", str(uuid4()), filename)
        storage.put_file(key, file, table.content_type, tag=storage.PASSING)
    return see_other(storage.signed_url(key, filename, table.content_type))


def _name(path: str, county_id: str | None) -> str:
    """The name of a list's file: its county and the fixed parts of its path."""
    fixed = [part for part in path.split("/")[2:] if part and not _VARIABLE.fullmatch(part)]
    return "-".join([county_id, *fixed[1:]] if county_id is not None else fixed)
