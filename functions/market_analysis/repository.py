"""SQL of market analyses."""

from sqlalchemy import Connection

from shared.evidence import Evidence, excluded_sales, read_evidence


def market_sales(connection: Connection, county_id: str) -> tuple[Evidence, dict[str, int]]:
    """The county's valid sales, and the number of its other sales by reason."""
    return read_evidence(connection, county_id), excluded_sales(connection, county_id)
