"""The page of appeals is true: its routes, their permissions, and what a filing says."""

import re

from functions.appeals.handler import api
from functions.appeals.schemas import MAX_DOCUMENT_BYTES, AppealRequest
from infra.settings import ROOT

PAGE = (ROOT / "functions/appeals/README.md").read_text()
ROWS = [row.split(" | ") for row in re.findall(r"^\| (`(?:POST|GET).*) \|$", PAGE, re.MULTILINE)]


def test_the_page_names_the_routes_with_their_permissions() -> None:
    permissions = {(route.method, route.path.partition("{county_id}")[2]): route.permission for route in api.routes}
    named = 0
    for routes, granted, *_ in ROWS:
        first, *others = re.findall(r"`([^`]+)`", routes)
        if first in ("POST", "GET"):
            first, others = f"{first} {others[0].partition(' ')[2]}", []
        method, _, path = first.partition(" ")
        paths = [path.removeprefix("...")]
        paths += [
            other.removeprefix("...") if other.startswith("...") else f"{paths[0].rpartition('/')[0]}/{other}"
            for other in others
        ]
        for each in paths:
            assert permissions[method, each] == re.findall(r"`(\w+)`", granted)[0], each
            named += 1
    assert named >= 11


def test_the_page_names_what_a_filing_says_and_the_size_of_a_document() -> None:
    (parameters,) = re.findall(r"file: (.*?) \|", PAGE)
    assert set(re.findall(r"`(\w+)`", parameters)) | {"petitioner_contact"} == AppealRequest.model_fields.keys()
    assert f"{MAX_DOCUMENT_BYTES >> 20} MB each" in PAGE
