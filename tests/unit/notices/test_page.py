"""The page of notices is true: its settings, its template and its routes."""

import json
import re

from functions.notices.handler import api
from functions.notices.job_kinds import NOTICE_BATCH
from functions.notices.schemas import NoticeBatchRequest
from functions.notices.service.templates import check
from infra.settings import ROOT
from shared.counties.notice_settings import NoticeSettings

PAGE = (ROOT / "functions/notices/README.md").read_text()


def _block(language: str) -> str:
    (block,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(block)


def test_the_settings_of_washington_are_settings() -> None:
    settings = NoticeSettings.model_validate(json.loads(_block("json")))

    assert settings.board is not None
    assert len(settings.closed_periods) == 1


def test_the_template_of_the_page_can_be_used() -> None:
    check(_block("typst"))


def test_the_page_names_the_routes_the_parameters_and_the_permission() -> None:
    named = {re.sub(r"{\w+}", "{}", path) for path in re.findall(r"`(?:GET|POST)?[^`]*?\.\.\./([\w/{}-]+)`", PAGE)}
    routes = {re.sub(r"{\w+}", "{}", route.path.partition("{county_id}/")[2]) for route in api.routes}
    assert named - {"files"} <= routes
    assert f"permission `{NOTICE_BATCH.run}`" in PAGE
    (parameters,) = re.findall(r"a batch: (.*?) \|", PAGE)
    assert set(re.findall(r"`(\w+)`", parameters)) == NoticeBatchRequest.model_fields.keys()
