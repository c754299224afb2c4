"""Values as SQL writes them, for statements that go without parameters (COPY's queries, scripts)."""

from uuid import UUID

from pg8000.native import literal


def uuid_literal(value: UUID) -> str:
    """`CAST('0f8fad5b-...' AS uuid)`."""
    return f"CAST({literal(str(value))} AS uuid)"
