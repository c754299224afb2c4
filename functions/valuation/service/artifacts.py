"""Fitted models as objects in S3, written once, and cached by the process that loads them.

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

from functions.valuation.domain.land import LandShares
from shared import storage
from shared.appraisal.arrays import FloatArray
from shared.appraisal.avm.artifact import ArtifactError, FittedModel, dump, load_kind
from shared.appraisal.columns import Characteristics
from shared.appraisal.land_contribution import LandContribution
from shared.evidence import AttributeKinds
from shared.problems import Conflict, NotFound

CONTENT_TYPE = "application/zip"
MAX_CACHED = 4
"""Choice: models of a few megabytes each, in a Lambda of 1,769 MB; a county has a champion or two."""
_MODEL, _CONTEXT = "model", "context.json"
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The date of the members: without one of its own, the same model is the same bytes."""

_DECODING_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, KeyError, ValueError, TypeError)
"""Exceptions that reading a damaged zip or document raises."""

_cache: OrderedDict[tuple[str, UUID], LoadedModel[Any]] = OrderedDict()


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

    `sale_ids` are those of the sales that it was fitted to, by position; `kinds` the attributes that it knows. Its
    values are divided by `land_shares`, of the roll when it was trained, or by `land` where the roll has none.
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


def pack(loaded_model: LoadedModel[FittedModel]) -> bytes:
    """The artifact's bytes; the same for the same model."""
    context = {
        "sale_ids": loaded_model.sale_ids,
        "kinds": {
            "numeric": loaded_model.kinds.numeric,
            "categorical": loaded_model.kinds.categorical,
            "property_class": loaded_model.kinds.property_class,
        },
        "land_shares": loaded_model.land_shares,
        "land": None if loaded_model.land is None else asdict(loaded_model.land),
    }
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(_MODEL, _ZIP_EPOCH), dump(loaded_model.model))
        written = zipfile.ZipInfo(_CONTEXT, _ZIP_EPOCH)
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
            _land_contribution(context["land"]),
        )
    except _DECODING_ERRORS as error:
        raise ArtifactError("the artifact is no trained model") from error


def _land_contribution(context: Mapping[str, Any] | None) -> LandContribution | None:
    if context is None:
        return None
    site, area, building, new = (float(rate) for rate in context["rates"])
    return LandContribution((site, area, building, new), float(context["typical_error"]))


def digest(body: bytes) -> str:
    """The artifact's SHA-256 in hexadecimal."""
    return hashlib.sha256(body).hexdigest()


def load_model(county_id: str, record: StoredModel, kind: type[FittedModel]) -> LoadedModel[FittedModel]:
    """Load a county's model from S3, or from this process's cache.

    Raises Conflict where the object is gone or is not what was trained.
    """
    key = (county_id, record.model_id)
    cached = cast("LoadedModel[FittedModel] | None", _cache.get(key))
    if cached is None:
        cached = _cache[key] = _fetch(record, kind)
        while len(_cache) > MAX_CACHED:
            _cache.popitem(last=False)
    _cache.move_to_end(key)
    return cached


def clear_cache() -> None:
    """Empty this process's cache (tests)."""
    _cache.clear()


def _fetch(record: StoredModel, kind: type[FittedModel]) -> LoadedModel[FittedModel]:
    try:
        body = storage.get(record.artifact_key)
        if digest(body) != record.artifact_digest:
            raise _damage_problem(record)
        return unpack(body, kind)
    except (ArtifactError, NotFound) as error:
        raise _damage_problem(record) from error


def _damage_problem(record: StoredModel) -> Conflict:
    return Conflict(
        f"What is stored of model {record.model_id} is not what was trained, or is gone; train it again.",
        slug="model-artifact-damaged",
    )
