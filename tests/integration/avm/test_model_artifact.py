"""A model as bytes: the same ones for the same sales, read back whole or refused."""

from functools import cache
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.appraisal.avm.artifact import FORMAT_VERSION, ArtifactError, dump, load
from shared.appraisal.avm.model import TrainedModel
from shared.appraisal.avm.training import STAGES, train
from tests.integration.avm.known_counties import KNOWN, SMALL, one, small_model
from tests.synthetic_county import LAST_DAY

Artifact = dict[str, bytes]


def test_the_same_sales_and_seed_give_the_same_bytes_and_another_seed_others() -> None:
    parts: list[str] = []
    again = train(SMALL.sales, LAST_DAY, stage=parts.append)
    assert len(parts) == len(set(parts)) == STAGES  # whoever waits is told of each
    assert parts[0].startswith("regression")
    assert dump(again) == dump(small_model())
    assert dump(train(SMALL.sales, LAST_DAY, seed=1)) != dump(again)


def test_a_loaded_model_predicts_as_the_dumped_one(model: TrainedModel) -> None:
    loaded = load(dump(model))
    ours, theirs = model.value(KNOWN), loaded.value(KNOWN)
    for name in ("estimate", "low", "high", "confidence"):
        assert np.array_equal(getattr(ours.predictions, name), getattr(theirs.predictions, name))
    assert np.array_equal(ours.contributions.dollars, theirs.contributions.dollars)
    assert loaded.explain(one(5)) == model.explain(one(5))
    assert (loaded.features, loaded.weights, loaded.seed) == (model.features, model.weights, model.seed)
    assert np.array_equal(loaded.holdout.low, model.holdout.low)
    assert dump(loaded) == dump(model)


def _members() -> Artifact:
    with ZipFile(BytesIO(dump(small_model()))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _zipped(members: Artifact) -> bytes:
    stream = BytesIO()
    with ZipFile(stream, "w", ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


@given(st.data())
@settings(max_examples=40)
def test_a_damaged_artifact_is_refused_wherever_the_damage_is(data: st.DataObject) -> None:
    whole = whole_artifact()
    index = data.draw(st.integers(0, len(whole) - 1))
    damaged = bytearray(whole)
    damaged[index] ^= data.draw(st.integers(1, 255))
    try:
        loaded = load(bytes(damaged))
    except ArtifactError:
        return
    # The zip format has a few bytes that say nothing (dates, attributes): then nothing may differ.
    assert dump(loaded) == whole


@cache
def whole_artifact() -> bytes:
    return dump(small_model())


@pytest.mark.parametrize("content", [b"", b"PK", b"\x80\x04}q\x00.", b"{}"])
def test_bytes_that_are_no_artifact_are_refused(content: bytes) -> None:
    with pytest.raises(ArtifactError):
        load(content)


def test_an_artifact_cut_short_swapped_or_of_another_version_is_refused() -> None:
    members = _members()
    with pytest.raises(ArtifactError):
        load(whole_artifact()[: len(whole_artifact()) // 2])
    with pytest.raises(ArtifactError, match=r"damaged at 0003\.npy"):
        load(_zipped({**members, "0003.npy": members["0004.npy"]}))
    with pytest.raises(ArtifactError, match="damaged at surplus"):
        load(_zipped({**members, "surplus": b""}))
    current = f'"version":{FORMAT_VERSION}'.encode()
    newer = members["manifest.json"].replace(current, b'"version":9')
    with pytest.raises(ArtifactError, match=r"terrafusion.avm 9"):
        load(_zipped({**members, "manifest.json": newer}))
