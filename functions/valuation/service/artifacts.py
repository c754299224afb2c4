"""Trained models as objects in S3: put there once, and kept by a process that has loaded them.

An artifact is a zip of two members: the model in the library's own format, and what turns positions in its sales into
sales of the county. It holds no code, and one that is not the record's, byte for byte, is refused.
"""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import Any
from uuid import UUID

import numpy as np
import orjson

from functions.valuation.repository.models import TrainedRecord
from functions.valuation.service.land import LandShares
from shared import storage
from shared.appraisal.arrays import FloatArray
from shared.appraisal.avm.artifact import ArtifactError, dump, load
from shared.appraisal.avm.model import TrainedModel
from shared.appraisal.columns import Characteristics
from shared.appraisal.land_contribution import LandContribution
from shared.evidence import AttributeKinds
from shared.problems import Conflict

CONTENT_TYPE = "application/zip"
_MOST_KEPT = 3
_MODEL, _CONTEXT = "model", "context.json"
_THE_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The date of the members: without one of its own, the same model is the same bytes."""

_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, KeyError, ValueError, TypeError)
"""What reading a damaged zip or document raises."""

_kept: OrderedDict[tuple[str, UUID], LoadedModel] = OrderedDict()


@dataclass(frozen=True)
class LoadedModel:
    """A model that is ready to value.

    `sale_ids` are those of the sales that it was given, by position; `kinds` the attributes that it knows;
    `land_shares` what divides its values, as the roll was when it was trained, and `land` what does where the roll
    has no land values.
    """

    model: TrainedModel
    sale_ids: tuple[str, ...]
    kinds: AttributeKinds
    land_shares: LandShares
    land: LandContribution | None

    def land_contributions(self, subjects: Characteristics, day: int) -> FloatArray:
        """The land's share of each value by what land contributes to prices; NaN where that is not known."""
        if self.land is None:
            return np.full(len(subjects), np.nan)
        return self.land.shares(self.model.hedonic, subjects, day)


def pack(loaded: LoadedModel) -> bytes:
    """The artifact's bytes; the same for the same model."""
    context = {
        "sale_ids": loaded.sale_ids,
        "kinds": {
            "numeric": loaded.kinds.numeric,
            "categorical": loaded.kinds.categorical,
            "property_class": loaded.kinds.property_class,
        },
        "land_shares": loaded.land_shares,
        "land": None if loaded.land is None else asdict(loaded.land),
    }
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(_MODEL, _THE_EPOCH), dump(loaded.model))
        written = zipfile.ZipInfo(_CONTEXT, _THE_EPOCH)
        archive.writestr(written, orjson.dumps(context, option=orjson.OPT_SORT_KEYS), zipfile.ZIP_DEFLATED)
    return target.getvalue()


def unpack(body: bytes) -> LoadedModel:
    """Read an artifact. Raises ArtifactError for one that is damaged."""
    try:
        with zipfile.ZipFile(BytesIO(body)) as archive:
            model = load(archive.read(_MODEL))
            context = orjson.loads(archive.read(_CONTEXT))
        kinds = context["kinds"]
        return LoadedModel(
            model,
            tuple(context["sale_ids"]),
            AttributeKinds(tuple(kinds["numeric"]), tuple(kinds["categorical"]), bool(kinds["property_class"])),
            context["land_shares"],
            _land(context["land"]),
        )
    except _DAMAGED as error:
        raise ArtifactError("the artifact is no trained model") from error


def _land(context: Mapping[str, Any] | None) -> LandContribution | None:
    if context is None:
        return None
    site, area, building, new = (float(rate) for rate in context["rates"])
    return LandContribution((site, area, building, new), float(context["typical_error"]))


def digest(body: bytes) -> str:
    """What tells one artifact from another."""
    return hashlib.sha256(body).hexdigest()


def loaded(county_id: str, record: TrainedRecord) -> LoadedModel:
    """A county's model, from S3 or as this process has kept it.

    Raises Conflict where the object is gone or is not what was trained.
    """
    key = (county_id, record.model_id)
    found = _kept.get(key)
    if found is None:
        found = _kept[key] = _fetched(record)
        while len(_kept) > _MOST_KEPT:
            _kept.popitem(last=False)
    _kept.move_to_end(key)
    return found


def forget() -> None:
    """Drop what this process has kept (tests)."""
    _kept.clear()


def _fetched(record: TrainedRecord) -> LoadedModel:
    body = storage.get(record.artifact_key)
    if digest(body) != record.artifact_digest:
        raise _damaged(record)
    try:
        return unpack(body)
    except ArtifactError as error:
        raise _damaged(record) from error


def _damaged(record: TrainedRecord) -> Conflict:
    return Conflict(
        f"What is stored of model {record.model_id} is not what was trained; train it again.",
        slug="model-artifact-damaged",
    )
