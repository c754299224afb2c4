"""The kind of job of loads of map layers."""

from functions.districts.schemas import DistrictLoadRequest, DistrictLoadResults
from shared.access import Permission
from shared.jobs import JobKind

DISTRICT_LOAD = JobKind(
    "district_load",
    collection="district-loads",
    id_parameter="load_id",
    request=DistrictLoadRequest,
    results=DistrictLoadResults,
    run=Permission.MANAGE_COUNTY,
    view=Permission.VIEW_PROPERTIES,
)
