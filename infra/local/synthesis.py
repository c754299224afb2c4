"""The synthesized templates, made anew only when their sources have changed."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.local.child_processes import ends_with_parent
from infra.local.errors import LocalCloudError

ROOT = Path(__file__).resolve().parents[2]

_STAGE = "dev"
_ASSEMBLY, _LOG = "cdk.out", "log"
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
    "functions/*/job_kinds.py",
    "shared/access/**/*.py",
    "shared/api/**/*.py",
    "shared/db/**/*.py",
    "shared/jobs/kind.py",
)

_SYNTHESIZE = """
import sys
from pathlib import Path

from infra.local.errors import LocalCloudError
from infra.application import synthesize_templates
synthesize_templates(Path(sys.argv[1]))
"""


class SynthesisError(LocalCloudError):
    """The CDK app did not synthesize; the message holds what it said."""


def synthesized(cache: Path) -> Path:
    """The folder of the assembly, whose stage is `dev`; synthesized (about 10 s) unless `cache` has it already.

    Raises SynthesisError.
    """
    with Synthesis(cache) as synthesis:
        return synthesis.result()


class Synthesis:
    """A synthesis in a process of its own, beside other work; its end kills what is not done."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._wanted = cache / source_digest()
        self._open = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None
        self._building = Path()

    def __enter__(self) -> Self:
        """Begins, unless the cache has the assembly already."""
        if not (self._wanted / "manifest.json").exists():
            self._cache.mkdir(parents=True, exist_ok=True)
            building = tempfile.TemporaryDirectory(dir=self._cache, prefix="synthesizing.", ignore_cleanup_errors=True)
            self._building = Path(self._open.enter_context(building))
            self._process = _synthesize(self._building)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)  # with the CDK's own process
            self._process.wait()
        self._open.close()

    def result(self) -> Path:
        """The assembly's folder, when it is there. Raises SynthesisError."""
        if self._process is not None:
            if self._process.wait() != 0:
                output = (self._building / _LOG).read_text(errors="replace")
                raise SynthesisError(f"the CDK app did not synthesize:\n{output[-4000:]}")
            for old in self._cache.iterdir():
                if old.is_dir() and not old.name.startswith("synthesizing."):
                    shutil.rmtree(old)
            (self._building / _ASSEMBLY).rename(self._wanted)
            self._process = None
        return self._wanted


def source_digest() -> str:
    """Differs when a synthesis may: over the sources' names and contents, and the CDK's version."""
    digest = hashlib.sha256(f"{version('aws-cdk-lib')} {_STAGE}".encode())
    for path in sorted({path for pattern in _SOURCES for path in ROOT.glob(pattern)}):
        content = path.read_bytes()
        digest.update(f"\0{path.relative_to(ROOT).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _synthesize(building: Path) -> "subprocess.Popen[bytes]":
    with (building / _LOG).open("wb") as log:
        return subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", _SYNTHESIZE, str(building / _ASSEMBLY)],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=ends_with_parent(signal.SIGKILL),
            start_new_session=True,
        )
