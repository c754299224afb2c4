"""The county's template of letters: checked before it is kept, and then what letters are made with."""

import io
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from functions.notices.domain.letter import LETTER_FIELDS
from functions.notices.handler import handler
from functions.notices.render.letters import default_template
from shared.access import Role
from shared.db import unit_of_work
from shared.db.models import AuditEvent
from tests.conftest import MigratedDatabase
from tests.gateway import Answer, call, claims_of
from tests.integration.evidence_county import COUNTY
from tests.integration.notices.noticed_county import YEAR, C, add_noticed_county, add_property, look, made
from tests.job_cloud import downloaded, job_cloud

__all__ = ["job_cloud"]

TEMPLATE = C + "/notice-template"
OWN = "#let letter(notice) = {\n  heading(level: 1)[Dear #notice.recipient]\n  [Until #notice.deadline.]\n}\n"


@pytest.fixture(autouse=True)
def county(database: MigratedDatabase, job_cloud: None) -> None:
    add_noticed_county()


def template() -> Answer:
    return call(handler, "GET", TEMPLATE, path={"county_id": COUNTY})


def put(text: str | None, *, tag: str = "*", **options: Any) -> Answer:
    headers = {"if-match": tag}
    return call(
        handler, "PUT", TEMPLATE, path={"county_id": COUNTY}, body={"template": text}, headers=headers, **options
    )


def test_the_platforms_template_holds_until_a_county_replaces_it_and_again_when_it_returns_to_it() -> None:
    first = template()
    assert (first.body["is_default"], first.headers["etag"]) == (True, '"0"')
    assert first.body["template"] == default_template()
    assert {field["name"] for field in first.body["fields"]} == LETTER_FIELDS.keys()

    replaced = put(OWN, tag='"0"')

    assert (replaced.status, replaced.body["version"], replaced.body["template"]) == (200, 1, OWN)
    assert put(default_template(), tag='"0"').status == 412
    assert put(OWN, tag='"1"').body["version"] == 1
    assert put(None, tag='"1"').body["is_default"]
    assert template().headers["etag"] == '"2"'
    with unit_of_work(COUNTY) as connection:
        actions = list(connection.scalars(select(AuditEvent.action)))
    assert actions == ["notice_template.replaced"] * 2


def test_letters_are_made_with_the_countys_template() -> None:
    assert put(OWN).status == 200
    risen = {YEAR - 1: (1, 2), YEAR: (2, 3)}
    add_property("P1", risen, [{"name": "Zoë Núñez"}])

    batch_id, results = made()

    assert results["template_version"] == 1
    pdf = PdfReader(io.BytesIO(downloaded(look(batch_id, "/files/{file_no}", file_no="1"))))
    assert "Dear Zoë Núñez" in pdf.pages[0].extract_text()


def test_a_template_that_cannot_be_used_is_refused_and_not_kept() -> None:
    answer = put("#let letter(notice) = [\n#notice.one\n#notice.recipient #notice.two\n]")

    assert (answer.status, answer.body["type"]) == (422, "urn:terrafusion:problem:template-invalid")
    assert [(fault["pointer"], fault["line"], fault["detail"].split()[0]) for fault in answer.body["errors"]] == [
        ("/body/template", 2, "one"),
        ("/body/template", 3, "two"),
    ]
    assert template().body["is_default"]


def test_a_template_is_replaced_by_who_manages_the_county_and_seen_by_who_sees_reports() -> None:
    for role in (Role.ASSESSOR, Role.REPORTING_STAFF, Role.AUDITOR):
        assert put(OWN, claims=claims_of(role)).status == 403
        assert call(handler, "GET", TEMPLATE, path={"county_id": COUNTY}, claims=claims_of(role)).status == 200
    assert call(handler, "PUT", TEMPLATE, path={"county_id": COUNTY}, body={"template": OWN}).status == 428
