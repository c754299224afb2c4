"""Fitted models as objects in S3: put there once, and kept by a process that has loaded them.

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
from typing import Any, Generic, Protocol, cast
from uuid import UUID

import numpy as np
import orjson

from functions.valuation.service.land import LandShares
from shared import storage
from shared.appraisal.arrays import FloatArray
from shared.appraisal.avm.artifact import ArtifactError, FittedModel, dump, load_kind
from shared.appraisal.columns import Characteristics
from shared.appraisal.land_contribution import LandContribution
from shared.evidence import AttributeKinds
from shared.problems import Conflict, NotFound

CONTENT_TYPE = "application/zip"
MAX_KEPT = 4
_MODEL, _CONTEXT = "model", "context.json"
_THE_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The date of the members: without one of its own, the same model is the same bytes."""

_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, KeyError, ValueError, TypeError)
"""What reading a damaged zip or document raises."""

_kept: OrderedDict[tuple[str, UUID], LoadedModel[Any]] = OrderedDict()


class StoredModel(Protocol):
    """A record that says where a model's artifact lies."""

    @property
    def model_id(self) -> UUID: ...
    @property
    def artifact_key(self) -> str: ...
    @property
    def artifact_digest(self) -> str: ...


@dataclass(frozen=True)
class LoadedModel(Generic[FittedModel]):
    """A model that is ready to value.

    `sale_ids` are those of the sales that it was given, by position; `kinds` the attributes that it knows;
    `land_shares` what divides its values, as the roll was when it was trained, and `land` what does where the roll
    has no land values.
    """

    model: FittedModel
    sale_ids: tuple[str, ...]
    kinds: AttributeKinds
    land_shares: LandShares
    land: LandContribution | None

    def land_contributions(self, subjects: Characteristics, day: int) -> FloatArray:
        """The land's share of each value by what land contributes to prices; NaN where that is not known."""
        if self.land is None:
            return np.full(len(subjects), np.nan)
        return self.land.shares(self.model.hedonic, subjects, day)


def pack(loaded: LoadedModel[FittedModel]) -> bytes:
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


def unpack(body: bytes, kind: type[FittedModel]) -> LoadedModel[FittedModel]:
    """Read an artifact. Raises ArtifactError for one that is damaged, or of a model of another kind."""
    try:
        with zipfile.ZipFile(BytesIO(body)) as archive:
            model = load_kind(archive.read(_MODEL), kind)
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


def loaded(county_id: str, record: StoredModel, kind: type[FittedModel]) -> LoadedModel[FittedModel]:
    """A county's model, from S3 or as this process has kept it.

    Raises Conflict where the object is gone or is not what was trained.
    """
    key = (county_id, record.model_id)
    found = cast("LoadedModel[FittedModel] | None", _kept.get(key))
    if found is None:
        found = _kept[key] = _fetched(record, kind)
        while len(_kept) > MAX_KEPT:
            _kept.popitem(last=False)
    _kept.move_to_end(key)
    return found


def forget() -> None:
    """Drop what this process has kept (tests)."""
    _kept.clear()


def _fetched(record: StoredModel, kind: type[FittedModel]) -> LoadedModel[FittedModel]:
    try:
        body = storage.get(record.artifact_key)
        if digest(body) != record.artifact_digest:
            raise _damaged(record)
        return unpack(body, kind)
    except (ArtifactError, NotFound) as error:
        raise _damaged(record) from error


def _damaged(record: StoredModel) -> Conflict:
    return Conflict(
        f"What is stored of model {record.model_id} is not what was trained, or is gone; train it again.",
        slug="model-artifact-damaged",
    )
