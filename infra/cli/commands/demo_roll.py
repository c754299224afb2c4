"""The demo's last step: from values on a roll to letters, a packet, a certified roll and its way back."""

import csv
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from rich.console import Console

from infra.cli.commands.job_progress import wait_with_progress
from infra.cli.commands.upload import approve_upload, compare_upload, send_file
from infra.cli.commands.value import dollars
from terrafusion import Client

OWNERS = 6
TWO_WEEKS = timedelta(weeks=2)
_UNNAMED = "the county's data names no owners"
_WAIVED = "The example's public data does not have it."
_OWNER_COLUMNS = "Owner ID,Property ID,Name,Mailing Address,Mailing City,Mailing State,Mailing Zip,Confidential"


def bring_out_the_roll(
    client: Client, assessor: Client, screen: Console, output: Path, county_id: str, roll_year: int
) -> dict[str, Path]:
    """Notices, an evidence packet, a certificate and a write-back of a roll, and the audit trail verified: the files.

    `assessor` decides about what `client` has brought. Raises ProblemError, JobFailedError.
    """
    county, roll = f"/v1/counties/{county_id}", f"/v1/counties/{county_id}/rolls/{roll_year}"
    changes = _changes_of_value(client, screen, output, county, roll_year)
    parcels = _largest_changes(changes)
    _bring_owners(client, assessor, screen, output / f"{county_id}-owners.csv", county_id, parcels)
    files = {"changes of value": changes, **_notices(client, screen, output, county, roll_year, parcels)}
    files["evidence packet"] = _packet(client, screen, output, county, parcels[0])
    _certify(assessor, screen, roll)
    files["write-back"] = _write_back(assessor, screen, output, county, roll_year)
    _verify_audit_trail(client, screen, county)
    return files


def _changes_of_value(client: Client, screen: Console, output: Path, county: str, roll_year: int) -> Path:
    """The report of every parcel's change from the roll before, the largest first."""
    body = {"report_type": "change_of_value", "format": "csv", "parameters": {"to_roll_year": roll_year}}
    job = wait_with_progress(client, screen, client.post(f"{county}/reports", body))
    return client.download(job["links"]["download"], output / f"{county.rpartition('/')[2]}-changes-of-value.csv")


def _largest_changes(changes: Path) -> list[str]:
    with changes.open(newline="", encoding="utf-8-sig") as file:
        return [row["property_id"] for row in islice(csv.DictReader(file), OWNERS)]


def _bring_owners(
    client: Client, assessor: Client, screen: Console, file: Path, county_id: str, parcels: list[str]
) -> None:
    """The owners of some parcels, made up: one of them confidential, and one whose address is not whole."""
    rows = [
        f"DEMO-{number},{parcel},Owner Number {number},{number} Main Street,{'' if number == 2 else 'Toledo'},OH,43604,"
        f"{'true' if number == 1 else 'false'}"
        for number, parcel in enumerate(parcels, start=1)
    ]
    file.write_text("\n".join([_OWNER_COLUMNS, *rows]) + "\n")
    upload = send_file(client, screen, county_id, file, "owners")
    compared = compare_upload(client, screen, upload)
    if compared["status"] == "awaiting_approval":
        approve_upload(assessor, screen, county_id, upload["id"], "owners of the demo")
    screen.print(f"   {len(parcels)} parcels are given owners: {_UNNAMED}")


def _notices(
    client: Client, screen: Console, output: Path, county: str, roll_year: int, parcels: list[str]
) -> dict[str, Path]:
    mailed_on = (datetime.now(UTC) + TWO_WEEKS).date().isoformat()
    request = {"roll_year": roll_year, "mailed_on": mailed_on, "property_ids": parcels}
    job = wait_with_progress(client, screen, client.post(f"{county}/notice-batches", request))
    batch = client.get(job["links"]["results"])
    held = ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in batch["held_back"].items())
    screen.print(f"   {batch['letters']} letters to mail on {mailed_on}, to appeal until {batch['deadline']}")
    screen.print(f"   held back: {held or 'none'}")
    prefix = output / county.rpartition("/")[2]
    return {
        "notices": client.download(f"{job['links']['self']}/files/1", Path(f"{prefix}-notices.pdf")),
        "print list": client.download(job["links"]["download"], Path(f"{prefix}-print-list.csv")),
    }


def _packet(client: Client, screen: Console, output: Path, county: str, parcel: str) -> Path:
    parameters: dict[str, Any] = {"property_id": parcel, "elements": ["record_card", "history"], "reference": "Demo 1"}
    body = {"report_type": "evidence_packet", "format": "pdf", "parameters": parameters}
    job = wait_with_progress(client, screen, client.post(f"{county}/reports", body))
    return client.download(job["links"]["download"], output / f"{county.rpartition('/')[2]}-packet.pdf")


def _certify(assessor: Client, screen: Console, roll: str) -> None:
    """Check the roll, waive what the example cannot have, and certify it."""
    wait_with_progress(assessor, screen, assessor.post(f"{roll}/checks", None))
    for check in assessor.get(f"{roll}/checks"):
        if check["rows"]:
            screen.print(f"   {check['severity']}: {check['title']}: {check['rows']:,} rows")
            if check["severity"] == "blocks":
                assessor.post(f"{roll}/waivers", {"check_name": check["name"], "reason": _WAIVED})
    wait_with_progress(assessor, screen, assessor.post(f"{roll}/certify", {"reason": "the demo's roll"}))
    certificate = assessor.get(f"{roll}/certificate")
    totals = certificate["statement"]["totals"]
    screen.print(
        f"   certified: {totals['assessments']:,} assessments, {dollars(totals['total_value'])}; SHA-256"
        f" {certificate['sha256'][:16]}…"
    )


def _write_back(assessor: Client, screen: Console, output: Path, county: str, roll_year: int) -> Path:
    job = wait_with_progress(assessor, screen, assessor.post(f"{county}/write-backs", {"roll_year": roll_year}))
    results = assessor.get(job["links"]["results"])
    screen.print(
        f"   back to the county's system: {results['changed']:,} values of {results['rows']:,} rows in a script,"
        f" {results['not_in_source']:,} without a row there"
    )
    return assessor.download(job["links"]["download"], output / f"{county.rpartition('/')[2]}-write-back.sql")


def _verify_audit_trail(client: Client, screen: Console, county: str) -> None:
    client.post(f"{county}/audit-seals", None)
    verdicts = list(client.pages(f"{county}/audit-seals/verification"))
    events = sum(verdict["events"] for verdict in verdicts)
    findings = sum(len(verdict["findings"]) for verdict in verdicts)
    screen.print(f"   audit verify: {events:,} events under {len(verdicts):,} seals, {findings} findings")
