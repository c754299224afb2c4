"""The synthesized templates, made anew only when what they are made from has changed."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_STAGE = "dev"
# What the templates are made from: the stacks, the routes and scopes that they derive, and the schema whose change
# they announce. Assets are not built here, so other code changes nothing in them.
_SOURCES = (
    "app.py",
    "cdk.json",
    "infra/*.py",
    "infra/constructs/**/*.py",
    "infra/stacks/**/*.py",
    "functions/*/handler.py",
    "functions/*/handler/**/*.py",
    "shared/access/**/*.py",
    "shared/api/**/*.py",
    "shared/db/**/*.py",
)

_SYNTHESIZE = """
import sys
from pathlib import Path
from infra.application import synthesize_templates
synthesize_templates(Path(sys.argv[1]))
"""


class SynthesisError(RuntimeError):
    """The CDK app did not synthesize; the message holds what it said."""


def synthesized(cache: Path) -> Path:
    """The folder of the assembly, whose stage is `dev`; synthesized (about 10 s) unless `cache` has it already."""
    wanted = cache / source_digest()
    if (wanted / "manifest.json").exists():
        return wanted
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="synthesizing.") as building:
        folder = Path(building) / "cdk.out"
        _synthesize(folder)
        for old in cache.iterdir():
            if old.is_dir() and not old.name.startswith("synthesizing."):
                shutil.rmtree(old)
        folder.rename(wanted)
    return wanted


def source_digest() -> str:
    """Differs when a synthesis may: over the sources' names and contents, and the CDK's version."""
    digest = hashlib.sha256(f"{version('aws-cdk-lib')} {_STAGE}".encode())
    for path in sorted({path for pattern in _SOURCES for path in ROOT.glob(pattern)}):
        content = path.read_bytes()
        digest.update(f"\0{path.relative_to(ROOT).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _synthesize(folder: Path) -> None:
    ended = subprocess.run(  # noqa: S603
        [sys.executable, "-c", _SYNTHESIZE, str(folder)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode != 0:
        message = f"the CDK app did not synthesize:\n{ended.stderr[-4000:]}"
        raise SynthesisError(message)
