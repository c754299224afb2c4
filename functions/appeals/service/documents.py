"""Documents of appeals: announced, sent to a signed address of S3, confirmed, taken."""

from uuid import UUID

from sqlalchemy import Connection

from functions.appeals.domain.transitions import SETTLED
from functions.appeals.repository import documents
from functions.appeals.repository.documents import DocumentRow
from functions.appeals.schemas import (
    MAX_DOCUMENTS,
    AppealDocument,
    DocumentRequest,
    NewDocument,
)
from functions.appeals.service.views import require_appeal
from shared import audit, storage
from shared.access import Caller
from shared.db import unit_of_work
from shared.jobs.lifecycle import deterministic_id, digest, refuse_reused_key
from shared.problems import Conflict, NotFound
from shared.uploads.sending import address_to_send, require_sent

_FOLDER = "appeals"


def announce(
    county_id: str, appeal_id: UUID, request: DocumentRequest, *, caller: Caller, idempotency_key: str | None
) -> NewDocument:
    """Record a document, and sign the address that takes its file.

    The same request with the same key gives the document that it made before, with a new address. Raises NotFound,
    Conflict for an appeal that is settled, or has as many documents as it may.
    """
    document_id = deterministic_id(county_id, f"appeal document {appeal_id}", caller, idempotency_key)
    request_digest = digest(request)
    key = storage.county_key(county_id, _FOLDER, str(appeal_id), str(document_id))
    with unit_of_work(county_id) as connection:
        appeal = require_appeal(connection, county_id, appeal_id, for_update=True)
        known = documents.find(connection, county_id, appeal_id, document_id)
        if known is not None:
            refuse_reused_key(known.request_digest, request_digest)
        else:
            if appeal.status in SETTLED:
                raise Conflict(f"The appeal is {appeal.status}: it takes no more documents.", slug="appeal-settled")
            if len(documents.of_appeal(connection, county_id, appeal_id)) >= MAX_DOCUMENTS:
                raise Conflict(f"An appeal has {MAX_DOCUMENTS} documents at most.", slug="too-many-documents")
            documents.add(
                connection,
                county_id,
                {
                    **request.model_dump(),
                    "document_id": document_id,
                    "appeal_id": appeal_id,
                    "request_digest": request_digest,
                    "object_key": key,
                    "added_by": caller.username,
                },
            )
            details = {"document_id": str(document_id), **request.model_dump(mode="json")}
            audit.record(
                connection, county_id, caller.username, "appeal.document_added", f"appeals/{appeal_id}", details
            )
        row = _require_document(connection, county_id, appeal_id, document_id)
    return NewDocument(**dict(_shown(row)), send=address_to_send(key, request.size_bytes, request.sha256))


def all_documents(county_id: str, appeal_id: UUID) -> list[AppealDocument]:
    """The documents of an appeal. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        require_appeal(connection, county_id, appeal_id)
        return [_shown(row) for row in documents.of_appeal(connection, county_id, appeal_id)]


def confirm(county_id: str, appeal_id: UUID, document_id: UUID, *, caller: Caller) -> AppealDocument:
    """Look whether a document's file is there and of its type; one that was confirmed stays so.

    Raises NotFound, Conflict before it is there, Unprocessable for a file of another type.
    """
    with unit_of_work(county_id) as connection:
        row = _require_document(connection, county_id, appeal_id, document_id)
    require_sent(row.object_key, row.filename, row.content_type, row.size_bytes)
    with unit_of_work(county_id) as connection:
        if documents.set_received(connection, county_id, document_id):
            subject, details = f"appeals/{appeal_id}", {"document_id": str(document_id), "filename": row.filename}
            audit.record(connection, county_id, caller.username, "appeal.document_received", subject, details)
        return _shown(_require_document(connection, county_id, appeal_id, document_id))


def address_of(county_id: str, appeal_id: UUID, document_id: UUID) -> str:
    """The signed address of a document's file. Raises NotFound, Conflict for one that is not confirmed."""
    with unit_of_work(county_id) as connection:
        row = _require_document(connection, county_id, appeal_id, document_id)
    if row.received_at is None:
        raise Conflict("The document is not confirmed.", slug="document-not-confirmed")
    return storage.signed_url(row.object_key, f"document-{document_id}", row.content_type)


def _require_document(connection: Connection, county_id: str, appeal_id: UUID, document_id: UUID) -> DocumentRow:
    row = documents.find(connection, county_id, appeal_id, document_id)
    if row is None:
        raise NotFound(f"The appeal {appeal_id} has no document {document_id}.", slug="document-not-found")
    return row


def _shown(row: DocumentRow) -> AppealDocument:
    shown = {name: getattr(row, name) for name in AppealDocument.model_fields if name != "id"}
    return AppealDocument.model_validate({"id": row.document_id, **shown})
