"""Handing an analysis out as a file. The task knows nothing of this, so it needs no Parquet."""

from uuid import UUID

from functions.market_analysis.domain.files import CONTENT_TYPES, rendered
from functions.market_analysis.schemas import DownloadFormat
from functions.market_analysis.service import requests
from shared import storage


def file_address(county_id: str, analysis_id: UUID, wanted: DownloadFormat) -> str:
    """Where an analysis' results can be taken from as a file, for 15 minutes.

    The file is made from the results when it is asked for: the same each time. Raises as `service.results` does.
    """
    found = requests.results(county_id, analysis_id)
    filename = f"{county_id}-market-analysis-{found.sale_from}-{found.sale_to}.{wanted}"
    key = storage.county_key(county_id, "jobs", str(analysis_id), filename)
    storage.put(key, rendered(found, wanted), CONTENT_TYPES[wanted])
    return storage.signed_url(key, filename, CONTENT_TYPES[wanted])
