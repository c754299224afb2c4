"""The layers: pinned like the environment that the tests run in, and small enough for Lambda."""

import re
import shutil
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from infra.assets import PYTHON_VERSION, digest, install, precompile
from infra.function_specs import FunctionSpec, Layer
from infra.functions import REGISTRY
from infra.settings import ROOT

LAYERS = pytest.mark.parametrize("layer", list(Layer))
LAMBDA_LIMIT = 250 * 2**20
"""Bytes, unzipped, of a function and its layers (AWS Lambda quotas)."""
OWN_CODE = 5 * 2**20
"""Room for `shared` and the function's module."""


def _pins(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", path.read_text(), re.MULTILINE))


@LAYERS
def test_what_a_layer_is_for_is_pinned_as_the_project_is(layer: Layer) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    project = [requirement.split(";")[0].strip() for requirement in project]
    pins = _pins(ROOT / "layers" / layer / "requirements.in")

    assert pins
    for name, pinned in pins.items():
        assert f"{name}=={pinned}" in project


@LAYERS
def test_what_a_layer_brings_along_is_what_the_tests_run_with(layer: Layer) -> None:
    compiled = _pins(ROOT / "layers" / layer / "requirements.txt")

    assert set(_pins(ROOT / "layers" / layer / "requirements.in")) <= set(compiled)
    assert {name: version(name) for name in compiled} == compiled


@LAYERS
def test_every_wheel_is_known_by_its_hash_and_from_no_named_host(layer: Layer) -> None:
    text = (ROOT / "layers" / layer / "requirements.txt").read_text()
    requirements = [line for line in text.splitlines() if "==" in line]

    assert all(line.endswith("\\") for line in requirements)
    assert text.count("--hash=sha256:") >= len(requirements)
    assert "://" not in text
    assert "index-url" not in text


def test_a_digest_tells_a_change_of_a_file_and_of_its_name() -> None:
    folder = ROOT / "layers" / "core"
    whole = digest([folder])

    assert whole == digest([folder / "requirements.txt", folder / "requirements.in"])
    assert whole != digest([folder / "requirements.in"])
    assert digest([ROOT / "layers" / "learn"]) != digest([ROOT / "layers" / "documents"])


def _unzipped(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def installed(lambda_python: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Layer, Path]]:
    """Every layer as it is uploaded, for Linux on arm64."""
    folders = {layer: tmp_path_factory.mktemp(layer.value) for layer in Layer}
    for layer, folder in folders.items():
        install(ROOT / "layers" / layer / "requirements.txt", folder)
    precompile(folders[Layer.CORE], "/opt/python")
    yield folders
    for folder in folders.values():
        shutil.rmtree(folder)


@pytest.mark.bundling
@pytest.mark.parametrize("spec", list(REGISTRY), ids=lambda spec: spec.name)
def test_a_function_and_its_layers_fit_into_lambda(spec: FunctionSpec, installed: dict[Layer, Path]) -> None:
    size = sum(_unzipped(installed[layer]) for layer in spec.layers)

    assert 0 < size < LAMBDA_LIMIT - OWN_CODE


@pytest.mark.bundling
def test_no_layer_holds_a_binary_of_another_machine(installed: dict[Layer, Path]) -> None:
    for layer, folder in installed.items():
        binaries = [path.name for path in folder.rglob("*.so") if "linux" in path.name]
        assert all("aarch64" in name for name in binaries), layer


@pytest.mark.bundling
def test_the_cdk_bundles_the_core_layer_with_the_shared_package_and_a_function_with_its_module(
    lambda_python: str, tmp_path: Path
) -> None:
    from infra.application import build_app, project_context

    context = {**project_context(), "aws:cdk:bundling-stacks": ["dev/Data"]}
    build_app(context, outdir=str(tmp_path), validate=False).synth()
    (layer,) = (path.parent.parent for path in tmp_path.glob("asset.*/python/shared"))
    (function,) = (path.parent.parent for path in tmp_path.glob("asset.*/functions/migrations"))

    assert (layer / "python" / "pydantic").is_dir()
    assert (layer / "python" / "shared" / "db" / "migrate.py").is_file()
    assert _unzipped(layer) < 240 * 2**20
    assert {path.name for path in (function / "functions").iterdir()} == {"__init__.py", "__pycache__", "migrations"}
    tag = f"cpython-{PYTHON_VERSION.replace('.', '')}"
    for module in (layer / "python" / "shared" / "settings.py", function / "functions" / "migrations" / "handler.py"):
        compiled = (module.parent / "__pycache__" / f"{module.stem}.{tag}.pyc").read_bytes()
        assert compiled[4:8] == b"\1\0\0\0"  # by hash and unchecked (PEP 552): the times of files are not kept
        assert f"/{'opt/python' if module.is_relative_to(layer) else 'var/task'}/".encode() in compiled
        assert str(tmp_path).encode() not in compiled
