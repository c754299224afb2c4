"""A fitted model as bytes and back, without code in them.

A zip of `model.json` (the structure: names, numbers, texts), one `.npy` file an array (numbers and texts, never
objects), and `manifest.json` (the format's version and every file's SHA-256). Only the classes listed here are made
from it, by their fields. The same model gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from hashlib import sha256
from io import BytesIO
from typing import Any, TypeVar
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

from shared.appraisal.avm.boosting import BoostedTrees
from shared.appraisal.avm.ensemble import Ensemble
from shared.appraisal.avm.holdout import HeldOut
from shared.appraisal.avm.model import TrainedModel
from shared.appraisal.avm.neighborhood_features import NeighborhoodFeatures
from shared.appraisal.avm.network import Network
from shared.appraisal.avm.network_inputs import NetworkInputs, OneHotEncoding, PiecewiseLinearEncoding
from shared.appraisal.avm.predictors import Code, NeighborhoodCenters, Predictors
from shared.appraisal.avm.reconciliation import Reconciliation
from shared.appraisal.avm.results import Fold
from shared.appraisal.avm.selection import Selection
from shared.appraisal.columns import Characteristics, Sales
from shared.appraisal.comparables import ComparableSales
from shared.appraisal.conformal import ErrorModel
from shared.appraisal.features import CategoricalFeature, Features, Number
from shared.appraisal.hedonic import HedonicModel
from shared.appraisal.location import Grid, LocationSurface
from shared.appraisal.similarity import Similarity, Traits
from shared.appraisal.time_trend import TimeTrend

FORMAT = "terrafusion.avm"
FORMAT_VERSION = 4
_MANIFEST, _MODEL = "manifest.json", "model.json"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_ARRAY_KINDS = "biufU"
_CLASSES: tuple[type, ...] = (
    BoostedTrees, CategoricalFeature, Characteristics, Code, ComparableSales, Ensemble, ErrorModel, Features, Fold,
    Grid, HedonicModel, HeldOut, LocationSurface, NeighborhoodCenters, NeighborhoodFeatures, Network, NetworkInputs,
    Number, OneHotEncoding, PiecewiseLinearEncoding, Predictors, Reconciliation, Sales, Selection, Similarity,
    TimeTrend, TrainedModel, Traits,
)  # fmt: skip
_STORED_CLASS_NAMES: Mapping[type, str] = {kind: kind.__name__ for kind in _CLASSES} | {
    CategoricalFeature: "Levels",
    NeighborhoodCenters: "Places",
    NeighborhoodFeatures: "Surroundings",
    OneHotEncoding: "Coded",
    PiecewiseLinearEncoding: "Binned",
}
"""The names of the classes in format 4. Classes are renamed in the code, and never in a stored artifact."""
_STORED_FIELD_NAMES: Mapping[type, Mapping[str, str]] = {
    ComparableSales: {"difficulty_p95": "hard"},
    Ensemble: {"typical_ranges": "usual_ranges", "typical_difficulty": "usual_difficulty"},
    HedonicModel: {"leave_one_out_location": "left_out"},
    Number: {"typical": "usual"},
    Predictors: {
        "neighborhood_centers": "places",
        "neighborhood_features": "surroundings",
        "_typical_values": "_usual",
    },
    Reconciliation: {"vertical_equity_scale": "stretch"},
    TrainedModel: {"difficulty_p95": "hard"},
}
"""The names of the fields in format 4, where the code has another."""
_CLASSES_BY_STORED_NAME: Mapping[str, type] = {name: kind for kind, name in _STORED_CLASS_NAMES.items()}
_ARRAY, _TUPLE, _MAPPING, _CLASS = "array", "tuple", "mapping", "class"

Stored = Any
"""Values of JSON: null, booleans, numbers, texts, and objects with a tag of what they stand for."""


FittedModel = TypeVar("FittedModel", TrainedModel, ComparableSales)
"""Objects that an artifact may hold."""


class ArtifactError(ValueError):
    """Bytes that are not an artifact of this version, or are damaged. Says which and where."""


def dump(model: TrainedModel | ComparableSales) -> bytes:
    """The model as bytes."""
    arrays: dict[str, NDArray[Any]] = {}
    structure = _encoded(model, arrays, {})
    members = {_MODEL: _json(structure)} | {name: _npy(array) for name, array in arrays.items()}
    digests = {name: sha256(content).hexdigest() for name, content in members.items()}
    manifest = {"format": FORMAT, "version": FORMAT_VERSION, "sha256": digests}
    stream = BytesIO()
    with ZipFile(stream, "w", ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in {_MANIFEST: _json(manifest), **members}.items():
            member = ZipInfo(name, _LONG_AGO)
            member.compress_type = ZIP_DEFLATED
            archive.writestr(member, content)
    return stream.getvalue()


def load(content: bytes) -> TrainedModel:
    """The trained model of `dump`'s bytes. Raises ArtifactError for anything else."""
    return load_kind(content, TrainedModel)


def load_kind(content: bytes, kind: type[FittedModel]) -> FittedModel:
    """The model of `dump`'s bytes. Raises ArtifactError for anything else, a model of another kind included."""
    members = _members(content)
    try:
        arrays = {name: _array(member) for name, member in members.items() if name.endswith(".npy")}
        model = _decoded(json.loads(members[_MODEL]), arrays)
    except ArtifactError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"the artifact's structure cannot be read: {error}") from error
    if not isinstance(model, kind):
        raise ArtifactError(f"the artifact holds a {type(model).__name__}, not a {kind.__name__}")
    return model


def _members(content: bytes) -> dict[str, bytes]:
    try:
        with ZipFile(BytesIO(content)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
    except (BadZipFile, EOFError, NotImplementedError, OSError, RuntimeError, ValueError) as error:
        raise ArtifactError(f"this is no model artifact, or a damaged one: {error}") from error
    except Exception as error:  # zlib.error has no public base below Exception
        raise ArtifactError(f"the artifact is damaged: {error}") from error
    try:
        manifest = json.loads(members.pop(_MANIFEST))
        form, version, digests = manifest["format"], manifest["version"], dict(manifest["sha256"])
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError("this is no model artifact: it has no manifest") from error
    if (form, version) != (FORMAT, FORMAT_VERSION):
        raise ArtifactError(f"the artifact is of {form} {version}; {FORMAT} {FORMAT_VERSION} can be read")
    actual = {name: sha256(member).hexdigest() for name, member in members.items()}
    if actual != digests:
        wrong = sorted(name for name in actual.keys() | digests.keys() if actual.get(name) != digests.get(name))
        raise ArtifactError(f"the artifact is damaged at {', '.join(wrong[:3])}")
    return members


def _encoded(value: Any, arrays: dict[str, NDArray[Any]], seen: dict[int, str]) -> Stored:
    if value is None or isinstance(value, bool | int | float | str):
        return value.item() if isinstance(value, np.generic) else value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        # An array that two parts share is stored once.
        if id(value) not in seen:
            seen[id(value)] = f"{len(seen):04}.npy"
            arrays[seen[id(value)]] = value
        return {_ARRAY: seen[id(value)]}
    if isinstance(value, tuple):
        return {_TUPLE: [_encoded(item, arrays, seen) for item in value]}
    if isinstance(value, Mapping):
        return {_MAPPING: [[str(name), _encoded(item, arrays, seen)] for name, item in value.items()]}
    kind = type(value)
    if is_dataclass(value) and kind in _STORED_CLASS_NAMES:
        stored = {name: _encoded(getattr(value, field), arrays, seen) for field, name in _stored_fields(kind).items()}
        return {_CLASS: _STORED_CLASS_NAMES[kind], "fields": stored}
    raise TypeError(f"a {type(value).__name__} is no part of a model artifact")


def _decoded(stored: Stored, arrays: dict[str, NDArray[Any]]) -> Any:
    if not isinstance(stored, dict):
        return stored
    if _ARRAY in stored:
        return arrays[stored[_ARRAY]]
    if _TUPLE in stored:
        return tuple(_decoded(item, arrays) for item in stored[_TUPLE])
    if _MAPPING in stored:
        return {name: _decoded(item, arrays) for name, item in stored[_MAPPING]}
    kind = _CLASSES_BY_STORED_NAME[stored[_CLASS]]
    fields_by_name = {name: field for field, name in _stored_fields(kind).items()}
    return kind(**{fields_by_name[name]: _decoded(item, arrays) for name, item in stored["fields"].items()})


def _stored_fields(kind: type) -> dict[str, str]:
    """The stored name of each field of a class, by its name in the code."""
    renamed = _STORED_FIELD_NAMES.get(kind, {})
    return {field.name: renamed.get(field.name, field.name) for field in fields(kind)}


def _json(value: Stored) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True).encode()


def _npy(array: NDArray[Any]) -> bytes:
    if array.dtype.kind not in _ARRAY_KINDS:
        raise TypeError(f"an array of {array.dtype} is no part of a model artifact")
    stream = BytesIO()
    np.save(stream, np.ascontiguousarray(array), allow_pickle=False)
    return stream.getvalue()


def _array(content: bytes) -> NDArray[Any]:
    array: NDArray[Any] = np.load(BytesIO(content), allow_pickle=False)
    if array.dtype.kind not in _ARRAY_KINDS:
        raise ArtifactError(f"the artifact holds an array of {array.dtype}")
    return array
