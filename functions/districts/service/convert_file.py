"""The second step of a load: a geographic file, converted by GDAL in a process of its own."""

from functions.districts.schemas import DistrictLoadRequest, LayerFile, LoadPart
from functions.districts.service.source_index import require_room
from shared.counties.source_description import FilesDescription
from shared.jobs import RunningJob
from shared.problems import Unprocessable
from shared.sources.files.geographic import conversion
from shared.sources.files.geographic.conversion import Bounds

FUNCTION_MEMORY_MB = 3538
CONVERSION_SECONDS = 840
"""Of a function's 900 seconds: the rest is for its answer."""


def convert_file(job: RunningJob, _number: int, part: LoadPart) -> None:
    """Convert the file of a load into parts, lines included. Idempotent.

    Raises Unprocessable for a file that cannot be read, SourceRefused for one that is not there.
    """
    request = DistrictLoadRequest.model_validate(job.parameters)
    source = request.source.description
    if not isinstance(request.source, LayerFile) or not isinstance(source, FilesDescription):
        raise Unprocessable("The source is no file.", slug="source-table-missing")
    bounds = Bounds(CONVERSION_SECONDS, FUNCTION_MEMORY_MB)
    require_room(conversion.convert(job.county_id, source, part.table, bounds, any_geometry=True))
