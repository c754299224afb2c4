"""`python -m infra.requirements` pins the layers' dependencies anew, with hashes, to this environment's versions.

A layer's requirements.in names what it is for; requirements.txt is derived and holds every wheel's hash.
The versions are constrained to the environment's, so that what runs in a function is what the tests ran. It also
keeps packages that the runtime's own boto3 shares with us (python-dateutil) inside boto3's range.
"""

import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path
from tempfile import NamedTemporaryFile

from infra.assets import PLATFORM, PYTHON_VERSION
from infra.function_specs import Layer
from infra.settings import ROOT

CORE_PACKAGES = ("sqlalchemy", "typing-extensions")
"""Dependencies of other layers' packages that every function has from the core layer."""


def compile_layer(layer: Layer, constraints: Path) -> None:
    """Write the layer's requirements.txt. Raises CalledProcessError with uv's words on stderr."""
    excluded = [] if layer is Layer.CORE else [word for name in CORE_PACKAGES for word in ("--no-emit-package", name)]
    command = [
        *("uv", "pip", "compile", "--quiet", "--generate-hashes", "--no-header", "--no-annotate"),
        *("--no-emit-index-url", "--only-binary", ":all:", "--no-emit-build-options"),
        *("--python-platform", PLATFORM, "--python-version", PYTHON_VERSION),
        *("--constraints", str(constraints), *excluded),
        *("requirements.in", "--output-file", "requirements.txt"),
    ]
    subprocess.run(command, check=True, cwd=ROOT / "layers" / layer)  # noqa: S603 - no shell, and every word is ours


def main() -> int:
    with NamedTemporaryFile("w", suffix=".txt") as constraints:
        installed = {d.metadata["Name"]: d.version for d in distributions()}
        constraints.writelines(f"{name}=={version}\n" for name, version in sorted(installed.items()))
        constraints.flush()
        for layer in Layer:
            compile_layer(layer, Path(constraints.name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
