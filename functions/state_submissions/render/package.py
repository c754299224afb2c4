"""The package of a submission: its tables as CSV and XLSX, the certificate, and a manifest with their digests."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import orjson

from functions.state_submissions.domain.records import Submission, Table
from functions.state_submissions.schemas import PackageFile, StateSubmissionResults
from shared.counties.submission_settings import WashingtonSettings
from shared.tables.columns import columns_of, rows_of
from shared.tables.csv_file import write_csv
from shared.tables.xlsx_file import write_xlsx
from shared.typesetting import display
from shared.typesetting.pdf import to_pdf

MANIFEST = "manifest.json"
_TEMPLATE = Path(__file__).parent / "certificate.typ"
_ZIP_DAY = (1980, 1, 1, 0, 0, 0)
"""The first time that an archive knows: times of its files would only make two archives of the same files differ."""


@dataclass(frozen=True)
class PackageContent:
    """The content of a package, and the county and state that it is of."""

    county_id: str
    county_name: str
    state_title: str
    job_id: str
    made_at: datetime
    configuration_version: int
    settings: WashingtonSettings
    results: StateSubmissionResults
    submission: Submission


def write_package(content: PackageContent, folder: Path, path: Path) -> list[PackageFile]:
    """Write the archive; its files, of which the manifest is the last and lists all others."""
    written = [file for table in content.submission.tables for file in _tables(table, folder)]
    listed = [_described(file) for file in written]
    certificate = folder / "certificate.pdf"
    certificate.write_bytes(_certificate(content, listed))
    manifest = folder / MANIFEST
    listed.append(_described(certificate))
    manifest.write_bytes(_manifest(content, listed))
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for file in (*written, certificate, manifest):
            archive.writestr(_zip_info(file.name), file.read_bytes())
    return [*listed, _described(manifest)]


def _tables(table: Table, folder: Path) -> list[Path]:
    columns = columns_of(table.schema)
    paths = [folder / f"{table.name}.csv", folder / f"{table.name}.xlsx"]
    for path, write in zip(paths, (write_csv, write_xlsx), strict=True):
        write(columns, rows_of(columns, table.rows), path)
    return paths


def _described(path: Path) -> PackageFile:
    content = path.read_bytes()
    return PackageFile(name=path.name, size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


def _zip_info(name: str) -> ZipInfo:
    info = ZipInfo(name, _ZIP_DAY)
    info.compress_type = ZIP_DEFLATED
    return info


def _certificate(content: PackageContent, files: list[PackageFile]) -> bytes:
    """The certificate, to be signed: what the package holds, its figures by stratum, and the digests of its files."""
    submission = content.submission
    view = {
        "title": f"Certificate of sales data, {content.results.assessment_year}",
        "county_name": content.county_name,
        "generated_at": display.moment(content.made_at),
        "job_id": content.job_id,
        "approval": None,
        "state": content.state_title,
        "facts": submission.facts,
        "statement": submission.statement,
        "heading": submission.figures_heading,
        "figures": [[display.name(row[0]), *row[1:]] for row in submission.figures],
        "files": [[file.name, f"{file.size_bytes:,}", _broken(file.sha256)] for file in files],
    }
    return to_pdf(_TEMPLATE.read_bytes(), view, content.made_at)


def _broken(digest: str) -> str:
    """A digest in groups of eight, which a line can break between."""
    return " ".join(digest[start : start + 8] for start in range(0, len(digest), 8))


def _manifest(content: PackageContent, files: list[PackageFile]) -> bytes:
    """Whose package it is, by which settings, its figures with the sales that they are made of, and its files."""
    document = {
        "county_id": content.county_id,
        "job_id": content.job_id,
        "made_at": content.made_at.isoformat(),
        "form": content.state_title,
        "configuration_version": content.configuration_version,
        "settings": content.settings.model_dump(mode="json"),
        "results": content.results.model_dump(mode="json", exclude={"refused", "files", "file"}),
        "files": [file.model_dump(mode="json") for file in files],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)
