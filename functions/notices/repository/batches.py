"""SQL of batches: which properties are noticed and why others are not, their letters, and the end of a batch."""
# ruff: noqa: S608 - names of ours, values as parameters

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection, text

from functions.notices.domain.letter import NoticeValues
from functions.notices.schemas import AreaKind, NoticeBatchRequest

_VALUES = ("land_value", "improvement_value", "total_value")
_AREAS: dict[AreaKind | None, str] = {
    None: "CAST(NULL AS text)",
    "neighborhood": "p.neighborhood",
    "tax_district": "p.tax_district",
}
_ENDED = "('failed', 'cancelled')"
_LETTER_COLUMNS = ", ".join(each.name for each in fields(NoticeValues))
_OF_BATCH = "county_id = :county_id AND batch_id = :batch_id"


@dataclass(frozen=True)
class PlannedFile:
    """A file of letters that a batch is to have."""

    file_no: int
    letters: int


@dataclass(frozen=True)
class TypesetFile:
    """A file of letters: its area, and the number of its letters."""

    file_no: int
    area: str | None
    letters: int


def lock(connection: Connection, county_id: str, roll_year: int) -> None:
    """Lock the notices of a roll: no other batch is planned or ended until the transaction ends."""
    name = {"name": f"notices/{county_id}/{roll_year}"}
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), name)


def roll_years(connection: Connection, county_id: str, up_to: int) -> list[int]:
    """The newest two years up to one that have assessments, newest first."""
    return list(
        connection.scalars(
            text(
                "SELECT DISTINCT roll_year FROM assessments WHERE county_id = :county_id AND roll_year <= :up_to"
                " AND retired_at IS NULL ORDER BY roll_year DESC LIMIT 2"
            ),
            {"county_id": county_id, "up_to": up_to},
        )
    )


def release_ended(connection: Connection, county_id: str, roll_year: int) -> None:
    """Delete what was prepared in batches that failed or were cancelled: their properties are free for another."""
    connection.execute(
        text(
            "DELETE FROM notices AS n USING jobs AS j WHERE n.county_id = :county_id AND n.roll_year = :roll_year"
            " AND n.status = 'prepared' AND j.county_id = n.county_id AND j.job_id = n.batch_id"
            f" AND j.status IN {_ENDED}"
        ),
        {"county_id": county_id, "roll_year": roll_year},
    )


def is_planned(connection: Connection, county_id: str, batch_id: UUID) -> bool:
    """True for a batch that has notices, held back ones too."""
    found = connection.scalar(
        text(f"SELECT EXISTS (SELECT FROM notices WHERE {_OF_BATCH})"), {"county_id": county_id, "batch_id": batch_id}
    )
    return bool(found)


def prepare(
    connection: Connection,
    county_id: str,
    batch_id: UUID,
    request: NoticeBatchRequest,
    *,
    previous_year: int,
    deadline: date,
    letters_per_file: int,
) -> dict[str, int]:
    """Add the notices of a batch: prepared ones in the order of mailing, and those held back, with their reasons.

    Returns the counts of the roll's properties that get none, by reason.
    """
    parameters = {
        "county_id": county_id,
        "batch_id": batch_id,
        "roll_year": request.roll_year,
        "previous_year": previous_year,
        "mailed_on": request.mailed_on,
        "deadline": deadline,
        "per_file": letters_per_file,
        "supersede": request.supersede,
        "areas": request.areas,
        "property_ids": request.property_ids,
    }
    connection.execute(text(f"CREATE TEMP TABLE candidates ON COMMIT DROP AS {_candidates(request)}"), parameters)
    connection.execute(text("ANALYZE candidates"))
    rows = connection.execute(
        text("SELECT skipped, count(*) AS number FROM candidates WHERE skipped IS NOT NULL GROUP BY 1 ORDER BY 1")
    )
    skipped = {row.skipped: int(row.number) for row in rows}
    connection.execute(text(_INSERT), parameters)
    return skipped


def _candidates(request: NoticeBatchRequest) -> str:
    """SQL of the properties of a roll with both years' values, and why each gets no notice, where it gets none."""
    sums = ", ".join(
        f"sum({part}) FILTER (WHERE roll_year = :{year}) AS {name}_{part}"
        for name, year in (("old", "previous_year"), ("new", "roll_year"))
        for part in _VALUES
    )
    area = _AREAS[request.area]
    conditions = ["r.on_roll"]
    if request.areas is not None:
        conditions.append(f"{area} = ANY(CAST(:areas AS text[]))")
    if request.property_ids is not None:
        conditions.append("r.property_id = ANY(CAST(:property_ids AS text[]))")
    return (
        "WITH valued AS (SELECT property_id, roll_year, land_value, improvement_value,"
        "  coalesce(total_value, land_value + improvement_value) AS total_value FROM assessments"
        "  WHERE county_id = :county_id AND roll_year IN (:roll_year, :previous_year) AND retired_at IS NULL),"
        f" roll AS (SELECT property_id, bool_or(roll_year = :roll_year) AS on_roll, {sums} FROM valued GROUP BY 1)"
        f" SELECT r.*, {area} AS area, p.parcel_number, p.situs_address, p.legal_description,"
        " s.notice_id AS replaces, s.mailed_on AS replaced_mailed_on, CASE"
        "  WHEN p.property_id IS NULL THEN 'retired'"
        "  WHEN r.new_total_value IS NULL THEN 'without_value'"
        "  WHEN w.notice_id IS NOT NULL THEN 'in_another_batch'"
        "  WHEN s.new_total_value = r.new_total_value THEN 'already_noticed'"
        "  WHEN s.notice_id IS NOT NULL THEN CASE WHEN NOT :supersede THEN 'changed_since_notice' END"
        "  WHEN r.new_total_value = r.old_total_value THEN CASE"
        "   WHEN (r.new_land_value, r.new_improvement_value)"
        "    IS DISTINCT FROM (r.old_land_value, r.old_improvement_value)"
        "   THEN 'split_only' ELSE 'unchanged' END END AS skipped"
        " FROM roll AS r LEFT JOIN properties_operational AS p ON p.county_id = :county_id"
        "  AND p.property_id = r.property_id AND p.retired_at IS NULL"
        f" LEFT JOIN notices AS s ON {_noticed('s', 'sent')} LEFT JOIN notices AS w ON {_noticed('w', 'prepared')}"
        f" WHERE {' AND '.join(conditions)}"
    )


def _noticed(alias: str, status: str) -> str:
    return (
        f"{alias}.county_id = :county_id AND {alias}.roll_year = :roll_year AND {alias}.property_id = r.property_id"
        f" AND {alias}.status = '{status}'"
    )


_REASONS = (
    "array_remove(ARRAY[CASE WHEN o.property_id IS NULL THEN 'no_owner'"
    " WHEN o.confidential THEN 'confidential_owner' END,"
    " CASE WHEN NOT o.confidential AND o.name IS NULL THEN 'name_missing' END,"
    " CASE WHEN NOT o.confidential AND o.street IS NULL THEN 'street_missing' END,"
    " CASE WHEN NOT o.confidential AND o.city IS NULL THEN 'city_missing' END,"
    " CASE WHEN NOT o.confidential AND o.zip IS NULL THEN 'zip_missing' END], NULL)"
)
"""SQL of the reasons to hold a notice back. For a confidential owner it is that reason alone."""
_ADDRESSED = (
    "SELECT DISTINCT ON (property_id) property_id, coalesce(confidential, false) AS confidential,"
    " nullif(btrim(name, E' \\t\\r\\n'), '') AS name, nullif(btrim(mailing_address, E' \\t\\r\\n'), '') AS street,"
    " nullif(btrim(mailing_city, E' \\t\\r\\n'), '') AS city, nullif(btrim(mailing_state, E' \\t\\r\\n'), '') AS state,"
    " nullif(btrim(mailing_zip, E' \\t\\r\\n'), '') AS zip FROM owners WHERE county_id = :county_id"
    " AND retired_at IS NULL ORDER BY property_id, ownership_share DESC NULLS LAST, owner_id"
)
"""SQL of whom a notice goes to: the owner of the largest share, of equal or unknown ones the first by id."""
_NUMBER = "'^[0-9]{1,9}'"
_ORDER = (
    "a.zip COLLATE \"C\", upper(a.city) COLLATE \"C\", upper(regexp_replace(a.street, '^[0-9]+\\S*\\s+', ''))"
    f' COLLATE "C", CAST(substring(a.street FROM {_NUMBER}) AS integer) NULLS FIRST, a.street COLLATE "C",'
    ' a.name COLLATE "C", a.property_id COLLATE "C"'
)
"""SQL of the order of mailing: ZIP, city, street, number; then every other column, so that no two are equal."""
_UNLESS_CONFIDENTIAL = "CASE WHEN NOT jsonb_exists(a.reasons, 'confidential_owner') THEN {} END"
_COPIED = ", ".join(f"{name}_{part}" for name in ("old", "new") for part in _VALUES)
_INSERT = (
    f"WITH owner AS ({_ADDRESSED}), addressed AS (SELECT c.*, o.name, o.street, o.city, o.state, o.zip,"
    f"  to_jsonb({_REASONS}) AS reasons FROM candidates AS c LEFT JOIN owner AS o ON o.property_id = c.property_id"
    "  WHERE c.skipped IS NULL),"
    " sorted AS (SELECT a.property_id, row_number() OVER (PARTITION BY a.area ORDER BY"
    f"  {_ORDER}) - 1 AS position, a.area FROM addressed AS a WHERE a.reasons = '[]'),"
    ' filed AS (SELECT property_id, dense_rank() OVER (ORDER BY area COLLATE "C" NULLS LAST, position / :per_file)'
    "  AS file_no, mod(position, :per_file) + 1 AS letter_no FROM sorted)"
    " INSERT INTO notices (county_id, notice_id, batch_id, roll_year, previous_year, property_id, status, reasons,"
    f" {_COPIED}, mailed_on, deadline, parcel_number, situs_address, legal_description, area, recipient,"
    " mailing_address, mailing_city, mailing_state, mailing_zip, replaces, replaced_mailed_on, file_no, letter_no)"
    " SELECT :county_id, gen_random_uuid(), :batch_id, :roll_year, :previous_year, a.property_id,"
    " CASE WHEN f.property_id IS NULL THEN 'held_back' ELSE 'prepared' END, a.reasons,"
    f" {_COPIED}, :mailed_on, :deadline, a.parcel_number, a.situs_address, a.legal_description, a.area,"
    f" {', '.join(_UNLESS_CONFIDENTIAL.format(f'a.{name}') for name in ('name', 'street', 'city', 'state', 'zip'))},"
    " a.replaces, a.replaced_mailed_on, f.file_no, f.letter_no"
    " FROM addressed AS a LEFT JOIN filed AS f ON f.property_id = a.property_id"
)


def planned_files(connection: Connection, county_id: str, batch_id: UUID) -> list[PlannedFile]:
    """The files that a batch is to have, by number."""
    rows = connection.execute(
        text(
            f"SELECT file_no, count(*) AS letters FROM notices WHERE {_OF_BATCH} AND status = 'prepared'"
            " GROUP BY file_no ORDER BY file_no"
        ),
        {"county_id": county_id, "batch_id": batch_id},
    )
    return [PlannedFile(row.file_no, row.letters) for row in rows]


def letters_of_file(connection: Connection, county_id: str, batch_id: UUID, file_no: int) -> list[NoticeValues]:
    """The values of the letters of a file, in their order; those that another batch has taken over are not there."""
    rows = connection.execute(
        text(
            f"SELECT {_LETTER_COLUMNS} FROM notices WHERE {_OF_BATCH} AND file_no = :file_no AND status <> 'held_back'"
            " ORDER BY letter_no"
        ),
        {"county_id": county_id, "batch_id": batch_id, "file_no": file_no},
    )
    return [NoticeValues(**row._mapping) for row in rows]


def set_pages(connection: Connection, county_id: str, batch_id: UUID, file_no: int, pages: Sequence[int]) -> None:
    """Note on which page of their file the letters begin."""
    connection.execute(
        text(
            "UPDATE notices AS n SET page_no = CAST(p.page AS integer) FROM jsonb_array_elements_text("
            " CAST(:pages AS jsonb)) WITH ORDINALITY AS p (page, letter_no) WHERE n.county_id = :county_id"
            " AND n.batch_id = :batch_id AND n.file_no = :file_no AND n.letter_no = p.letter_no"
        ),
        {
            "county_id": county_id,
            "batch_id": batch_id,
            "file_no": file_no,
            "pages": orjson.dumps(list(pages)).decode(),
        },
    )


def send(connection: Connection, county_id: str, batch_id: UUID) -> int:
    """Make the prepared notices of a batch sent ones, and supersede those before of the same properties.

    Returns their number: none where they were sent before.
    """
    parameters: dict[str, Any] = {"county_id": county_id, "batch_id": batch_id}
    connection.execute(
        text(
            "UPDATE notices AS n SET status = 'superseded', superseded_by = b.notice_id FROM notices AS b"
            " WHERE b.county_id = :county_id AND b.batch_id = :batch_id AND b.status IN ('prepared', 'held_back')"
            " AND n.county_id = b.county_id AND n.roll_year = b.roll_year AND n.property_id = b.property_id"
            " AND n.batch_id <> b.batch_id AND (n.status = 'held_back' OR (n.status = 'sent'"
            " AND b.status = 'prepared'))"
        ),
        parameters,
    )
    sent = text(f"UPDATE notices SET status = 'sent' WHERE {_OF_BATCH} AND status = 'prepared'")
    return connection.execute(sent, parameters).rowcount


def typeset_files(connection: Connection, county_id: str, batch_id: UUID) -> list[TypesetFile]:
    """The files of a batch, by number."""
    rows = connection.execute(
        text(
            f"SELECT file_no, max(area) AS area, count(*) AS letters FROM notices WHERE {_OF_BATCH}"
            " AND file_no IS NOT NULL GROUP BY file_no ORDER BY file_no"
        ),
        {"county_id": county_id, "batch_id": batch_id},
    )
    return [TypesetFile(row.file_no, row.area, row.letters) for row in rows]


def held_back(connection: Connection, county_id: str, batch_id: UUID) -> dict[str, int]:
    """Counts of the notices of a batch that are held back, by reason; one may have several."""
    rows = connection.execute(
        text(
            "SELECT r.reason, count(*) AS number FROM notices CROSS JOIN LATERAL jsonb_array_elements_text(reasons)"
            f" AS r (reason) WHERE {_OF_BATCH} GROUP BY 1 ORDER BY 1"
        ),
        {"county_id": county_id, "batch_id": batch_id},
    )
    return {row.reason: int(row.number) for row in rows}


def count_replaced(connection: Connection, county_id: str, batch_id: UUID) -> int:
    """Count the letters of a batch that replace an earlier notice."""
    number = connection.scalar(
        text(f"SELECT count(*) FROM notices WHERE {_OF_BATCH} AND file_no IS NOT NULL AND replaces IS NOT NULL"),
        {"county_id": county_id, "batch_id": batch_id},
    )
    return int(number or 0)
