"""Documents of applications: announced, sent to a signed address of S3, and taken from one."""

from uuid import UUID

from functions.exemptions import repository
from functions.exemptions.schemas import DocumentRequest, ExemptionDocument, NewExemptionDocument
from functions.exemptions.service.applications import require
from shared import audit, storage
from shared.access import Caller
from shared.db import unit_of_work
from shared.jobs.lifecycle import deterministic_id, digest, refuse_reused_key
from shared.problems import Conflict, NotFound
from shared.uploads.sending import address_to_send, require_sent

MAX_DOCUMENTS = 50
"""Documents of an application at most. A choice: an answer holds all of them."""


def announce(
    county_id: str, exemption_id: UUID, request: DocumentRequest, *, caller: Caller, idempotency_key: str | None
) -> NewExemptionDocument:
    """Record a document, and sign the address that takes its file, once, with the size and content announced.

    Raises NotFound, Conflict where the application has enough of them.
    """
    document_id = deterministic_id(county_id, f"exemption_document/{exemption_id}", caller, idempotency_key)
    request_digest = digest(request)
    with unit_of_work(county_id) as connection:
        require(connection, county_id, exemption_id, for_update=True)
        known = repository.document_digest(connection, county_id, exemption_id, document_id)
        if known is not None:
            refuse_reused_key(known, request_digest)
        elif repository.count_documents(connection, county_id, exemption_id) >= MAX_DOCUMENTS:
            raise Conflict(f"The application has {MAX_DOCUMENTS} documents, and takes no more.", slug="documents-full")
        else:
            values = {**request.model_dump(), "request_digest": request_digest, "added_by": caller.username}
            repository.add_document(connection, county_id, exemption_id, document_id, values)
            details = {"document_id": str(document_id), "filename": request.filename, "sha256": request.sha256}
            subject = f"exemptions/{exemption_id}"
            audit.record(connection, county_id, caller.username, "exemption.document_added", subject, details)
        documents = repository.documents(connection, county_id, exemption_id)
    document = next(one for one in documents if one.document_id == document_id)
    send = address_to_send(_key(county_id, exemption_id, document_id), request.size_bytes, request.sha256)
    return NewExemptionDocument(**dict(document), send=send)


def of_exemption(county_id: str, exemption_id: UUID) -> list[ExemptionDocument]:
    """The documents of an application. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        require(connection, county_id, exemption_id)
        return repository.documents(connection, county_id, exemption_id)


def address(county_id: str, exemption_id: UUID, document_id: UUID) -> str:
    """A signed address of a document's file.

    Raises NotFound, Conflict where the file was not sent, Unprocessable for one of another type.
    """
    documents = of_exemption(county_id, exemption_id)
    document = next((one for one in documents if one.document_id == document_id), None)
    if document is None:
        raise NotFound(f"The application has no document {document_id}.", slug="document-not-found")
    key = _key(county_id, exemption_id, document_id)
    require_sent(key, document.filename, document.content_type, document.size_bytes)
    return storage.signed_url(key, document.filename, document.content_type)


def _key(county_id: str, exemption_id: UUID, document_id: UUID) -> str:
    return storage.county_key(county_id, "exemptions", str(exemption_id), str(document_id))
