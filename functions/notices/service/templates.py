"""The county's template of letters: read, checked, replaced."""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection

from functions.notices.domain.letter import LETTER_FIELDS, sample_letters
from functions.notices.domain.template_fields import unknown_fields
from functions.notices.render.letters import LETTER, SAMPLE, default_template, typeset_letters
from functions.notices.repository import templates
from functions.notices.repository.templates import StoredTemplate
from functions.notices.schemas import NoticeTemplate, NoticeTemplateRequest, TemplateField
from shared import audit
from shared.access import Caller
from shared.db import unit_of_work
from shared.db.tenancy import require_onboarded
from shared.problems import Fault, PreconditionFailed, Unprocessable
from shared.typesetting.isolated import TypesettingError

_SUBJECT = "notice-template"
_FIELDS = [TemplateField(name=name, description=description) for name, description in LETTER_FIELDS.items()]
_OUTSIDE = ("file not found", "would escape the project root", "package", "file is not valid", "failed to load")
"""Parts of typst's messages about a file or a package that a document may not have."""


def find(county_id: str) -> NoticeTemplate:
    """The template of the county's letters. Raises NotFound for a county that is not onboarded."""
    with unit_of_work(county_id) as connection:
        require_onboarded(connection, county_id)
        return _shown(templates.newest(connection, county_id))


def replace(
    county_id: str, request: NoticeTemplateRequest, *, expected_version: int | None, caller: Caller
) -> NoticeTemplate:
    """Replace the template by one that was checked, or return to the platform's.

    Raises Unprocessable for one that cannot be typeset, with its line, PreconditionFailed, NotFound.
    """
    if request.template is not None:
        check(request.template)
    with unit_of_work(county_id) as connection:
        require_onboarded(connection, county_id)
        templates.lock(connection, county_id)
        before = templates.newest(connection, county_id)
        version = 0 if before is None else before.version
        if expected_version not in (None, version):
            raise PreconditionFailed(f"The template is at version {version} by now; read it again, then decide.")
        if request.template != (None if before is None else before.template):
            templates.add(connection, county_id, version + 1, request.template, caller.username)
            audit.record(
                connection,
                county_id,
                caller.username,
                "notice_template.replaced",
                _SUBJECT,
                {},
                old={"version": version, "template": None if before is None else before.template},
                new={"version": version + 1, "template": request.template},
            )
        return _shown(templates.newest(connection, county_id))


def template_text(connection: Connection, county_id: str, version: int) -> str:
    """The template of a version; 0 is the platform's."""
    stored = templates.text_of(connection, county_id, version) if version else None
    return default_template() if stored is None else stored


def check(template: str) -> None:
    """Typeset letters of made-up, hostile data with a template. Raises Unprocessable, with a fault for each line."""
    faults = unknown_fields(template)
    if not faults:
        with TemporaryDirectory() as folder:
            try:
                typeset_letters(
                    sample_letters(), template, "Sample", datetime.now(UTC), Path(folder, "sample.pdf"), SAMPLE
                )
            except TypesettingError as error:
                faults = [template_fault(error)]
    if faults:
        places = "; ".join(f"line {fault.line}: {fault.detail}" if fault.line else fault.detail for fault in faults[:5])
        raise Unprocessable(f"The template cannot be used. {places}", slug="template-invalid", faults=tuple(faults))


def template_fault(error: TypesettingError) -> Fault:
    """An error of typesetting as a fault of the template."""
    message, line = error.message, error.line if error.file == LETTER else None
    if any(part in message for part in _OUTSIDE):
        return Fault("/template", "A template is one text: it reads no file and imports no package.", "outside", line)
    if error.file is not None and line is None:
        return Fault(
            "/template", f"A template defines `letter(notice)`, a function of one argument: {message}.", "form"
        )
    return Fault("/template", f"{message}.", "typesetting", line)


def _shown(stored: StoredTemplate | None) -> NoticeTemplate:
    own = None if stored is None else stored.template
    return NoticeTemplate(
        template=default_template() if own is None else own,
        is_default=own is None,
        version=0 if stored is None else stored.version,
        made_by=None if stored is None else stored.made_by,
        made_at=None if stored is None else stored.made_at,
        fields=_FIELDS,
    )
