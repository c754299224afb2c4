"""The last step of a load: features made of the rows, looked at, and stored as a version of the layer."""

from datetime import date

import numpy as np

from functions.districts.domain.features import LoadedFeatures, read_features
from functions.districts.domain.topology import check_topology
from functions.districts.repository import loads
from functions.districts.schemas import DistrictLoadRequest, DistrictLoadResults, FeatureCounts, TopologyReport
from functions.districts.service.load import loadable_day
from functions.districts.service.source_rows import read_rows
from functions.districts.service.valid_days import require_not_before
from shared import audit
from shared.db import unit_of_work
from shared.jobs import RunningJob


def make_version(job: RunningJob) -> DistrictLoadResults:
    """Store a version of the layer in one transaction; where nothing differs, nothing is stored.

    A feature whose new shape cannot be used keeps its former version. Raises Unprocessable for rows that identify no
    features, Conflict for a day before that of the layer's last version.
    """
    request = DistrictLoadRequest.model_validate(job.parameters)
    day = loadable_day(job.county_id, request)
    job.announce(0, 3, "reading")
    rows = read_rows(job, request)
    job.announce(1, 3, "checking shapes")
    loaded = read_features(rows, request)
    topology = _topology(loaded)
    job.announce(2, 3, "storing")
    version, counts, changed = _store(job, request, loaded, day)
    return DistrictLoadResults(
        layer=request.layer,
        version=version,
        valid_from=day,
        changed=changed,
        features=counts,
        rejected=loaded.rejected,
        rejected_count=len(loaded.rejected_ids),
        repaired=loaded.repaired,
        repaired_count=loaded.repaired_count,
        reversed_count=loaded.reversed_count,
        value_faults=loaded.value_faults,
        value_fault_count=loaded.value_fault_count,
        topology=topology,
    )


def _topology(loaded: LoadedFeatures) -> TopologyReport:
    if loaded.geometry_type != "polygon":
        return TopologyReport(checked=False, reason=f"the layer's geometry type is {loaded.geometry_type}")
    shapes = np.empty(len(loaded.features), dtype=object)
    shapes[:] = [feature.shape for feature in loaded.features]
    return check_topology([feature.district_id for feature in loaded.features], shapes)


def _store(
    job: RunningJob, request: DistrictLoadRequest, loaded: LoadedFeatures, day: date
) -> tuple[int, FeatureCounts, bool]:
    """The layer's version, what it did to features, and whether anything has changed."""
    county_id, layer = job.county_id, request.layer
    with unit_of_work(county_id) as connection:
        loads.lock(connection, county_id, layer)
        made = loads.version_of_job(connection, county_id, layer, job.job_id)
        if made is not None:
            return made.version, made.counts, True
        stored = loads.find(connection, county_id, layer)
        if stored is not None:
            require_not_before(day, stored.valid_from)
        loads.stage(connection, loaded.features, loaded.rejected_ids)
        counts = loads.compare(connection, county_id, layer)
        same_features = counts.added == counts.changed == counts.removed == 0
        if stored is not None and same_features and stored.closed_on is None:
            fields = [field.model_dump() for field in loaded.fields]
            if (stored.title, stored.kind, stored.fields) != (request.title, request.kind, fields):
                job.commit(connection)
                loads.put_layer(connection, county_id, request, loaded, version=stored.version, actor=job.submitted_by)
            return stored.version, counts, False
        version = 1 if stored is None else stored.version + 1
        job.commit(connection)
        loads.change(connection, county_id, layer, day)
        loads.put_layer(connection, county_id, request, loaded, version=version, actor=job.submitted_by)
        loads.add_version(connection, county_id, layer, version, day, counts, job_id=job.job_id, actor=job.submitted_by)
        audit.record(
            connection,
            county_id,
            job.submitted_by,
            "district_layer.loaded",
            f"district-layers/{layer}",
            {"version": version, "valid_from": day.isoformat(), **counts.model_dump()},
        )
    return version, counts, True
