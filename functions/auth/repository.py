"""SQL of signing in."""

from collections.abc import Sequence

from sqlalchemy import Connection, func
from sqlalchemy.dialects.postgresql import insert

from shared.db.models import CountyMember


def note_sign_in(connection: Connection, username: str, counties: Sequence[str]) -> None:
    """Note in each county of a user that the user has signed in; one whom the county does not know yet is added."""
    rows = [{"county_id": county_id, "username": username, "last_signed_in_at": func.now()} for county_id in counties]
    connection.execute(
        insert(CountyMember)
        .values(rows)
        .on_conflict_do_update(index_elements=["county_id", "username"], set_={"last_signed_in_at": func.now()})
    )
