"""SQL of certificates."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, insert, select, text

from functions.roll.schemas.rolls import RollCorrection
from shared.db.models import RollCertificate
from shared.db.models import RollCorrection as CorrectionRow


class StoredCertificate(NamedTuple):
    """A certificate as it is stored."""

    supplement_no: int
    statement: dict[str, Any]
    object_key: str
    sha256: str


def of_roll(connection: Connection, county_id: str, roll_year: int, roll_version: int) -> list[StoredCertificate]:
    """The certificates of one closing of a roll: of the roll itself, then of its supplements."""
    rows = connection.execute(
        select(*(getattr(RollCertificate, name) for name in StoredCertificate._fields))
        .where(
            RollCertificate.county_id == county_id,
            RollCertificate.roll_year == roll_year,
            RollCertificate.roll_version == roll_version,
        )
        .order_by(RollCertificate.supplement_no)
    )
    return [StoredCertificate(*row) for row in rows]


def add(connection: Connection, values: Mapping[str, Any]) -> None:
    """Add a certificate."""
    connection.execute(insert(RollCertificate).values(**values))


def last_correction_no(connection: Connection, county_id: str, roll_year: int) -> int:
    """The number of the roll's last correction; 0 without one."""
    statement = select(func.coalesce(func.max(CorrectionRow.correction_no), 0)).where(
        CorrectionRow.county_id == county_id, CorrectionRow.roll_year == roll_year
    )
    return int(connection.scalar(statement) or 0)


def corrections_after(
    connection: Connection, county_id: str, roll_year: int, correction_no: int
) -> list[RollCorrection]:
    """The roll's corrections after one, in their order."""
    columns = [getattr(CorrectionRow, name) for name in RollCorrection.model_fields]
    rows = connection.execute(
        select(*columns)
        .where(
            CorrectionRow.county_id == county_id,
            CorrectionRow.roll_year == roll_year,
            CorrectionRow.correction_no > correction_no,
        )
        .order_by(CorrectionRow.correction_no)
    )
    return [RollCorrection(**row._mapping) for row in rows]


def now(connection: Connection) -> datetime:
    """The database's time."""
    moment: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return moment
