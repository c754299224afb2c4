"""What a ratio study reads."""

from shared.db import unit_of_work
from shared.evidence import Evidence, excluded_sales, read_evidence


def read(county_id: str) -> tuple[Evidence, dict[str, int]]:
    """The county's valid sales, and how many others there are by reason."""
    with unit_of_work(county_id) as connection:
        return read_evidence(connection, county_id), excluded_sales(connection, county_id)
