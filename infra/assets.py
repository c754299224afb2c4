"""Assets of a deployment: the project's code and its dependencies for Linux on arm64, bundled without Docker."""

import hashlib
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk.aws_lambda import Code

from infra.settings import ROOT

PYTHON_VERSION = "3.13"
PLATFORM = "aarch64-manylinux_2_28"

_UNUSED = ("numpy/f2py", "sqlalchemy/testing", "sqlalchemy/dialects/oracle", "sqlalchemy/dialects/sqlite")
"""Parts of packages that neither they nor we import: a compiler's front end, what a dialect's authors test with, and
dialects of databases that no county's system has."""
_SOURCES = frozenset({".c", ".cpp", ".h", ".hpp", ".pxd", ".pyi", ".pyx"})
_IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc", "*.md")


def module_code(package: str) -> Code:
    """The code of one module, as its bundle has it."""
    return _code(ROOT / "functions", module_bundle(package))


def module_bundle(package: str) -> "Bundle":
    """`functions/__init__.py` and the module's folder, importable under their own names."""
    module = ROOT.joinpath(*package.split("."))
    parents = [parent / "__init__.py" for parent in module.parents if parent.is_relative_to(ROOT) and parent != ROOT]
    return Bundle(copies=(*parents, module), mounted="/var/task")


def layer_code(name: str, *, with_shared: bool) -> Code:
    """A layer's content, as its bundle has it."""
    return _code(ROOT / "layers" / name, layer_bundle(name, with_shared=with_shared))


def layer_bundle(name: str, *, with_shared: bool, machine: str = PLATFORM) -> "Bundle":
    """A layer's dependencies, and in the core layer the project's `shared` package.

    The core layer alone has its bytecode: every function starts with it, and with the others beside it the largest ones
    would not fit into Lambda.
    """
    return Bundle(
        requirements=ROOT / "layers" / name / "requirements.txt",
        copies=(ROOT / "shared",) if with_shared else (),
        prefix="python",
        mounted="/opt/python" if with_shared else None,
        machine=machine,
    )


def digest(paths: Iterable[Path]) -> str:
    """A digest of the files at and below `paths`: of their names and contents, so the same on every machine."""
    total = hashlib.sha256()
    for path in sorted(file for root in paths for file in _files(root)):
        name = path.relative_to(ROOT).as_posix().encode()
        content = path.read_bytes()
        total.update(b"%d %s %d " % (len(name), name, len(content)))
        total.update(content)
    return total.hexdigest()


def _files(path: Path) -> Iterable[Path]:
    if path.is_file():
        return [path]
    return (
        p for p in path.rglob("*") if p.is_file() and "__pycache__" not in p.parts and p.suffix not in {".pyc", ".md"}
    )


def _code(source: Path, bundle: "Bundle") -> Code:
    """The hash is ours: the CDK's would cover one folder only, and the core layer is made of two."""
    return Code.from_asset(
        str(source),
        asset_hash_type=AssetHashType.CUSTOM,
        asset_hash=bundle.digest(),
        bundling=BundlingOptions(image=DockerImage.from_registry("never-started"), local=bundle),
    )


@jsii.implements(ILocalBundling)
class Bundle:
    """An asset's content: wheels for the functions' platform, and copies of the project's files."""

    def __init__(
        self,
        *,
        requirements: Path | None = None,
        copies: tuple[Path, ...] = (),
        prefix: str = "",
        mounted: str | None = None,
        machine: str = PLATFORM,
    ) -> None:
        """`mounted` is where Lambda will have the bundle's Python files; with it they are compiled. `machine` is the
        platform of its wheels: Lambda's, or in a test the one that it runs on."""
        self._machine = machine
        self._requirements = requirements
        self._copies = copies
        self._prefix = prefix
        self._mounted = mounted

    def digest(self) -> str:
        """A digest of the bundle's sources, platform included: another platform makes another bundle of the same
        requirements."""
        sources = [*([self._requirements] if self._requirements else []), *self._copies]
        description = f"{self._machine} {PYTHON_VERSION} {self._mounted} {digest(sources)}"
        return hashlib.sha256(description.encode()).hexdigest()

    def try_bundle(self, output_dir: str, *_options: object, **_named: object) -> bool:
        """The CDK's call. An error raised here ends the synthesis; there is no second way to bundle."""
        self.fill(Path(output_dir))
        return True

    def fill(self, folder: Path) -> None:
        """Write the bundle into a folder."""
        target = folder / self._prefix
        target.mkdir(parents=True, exist_ok=True)
        if self._requirements:
            install(self._requirements, target, self._machine)
        for source in self._copies:
            destination = target / source.relative_to(ROOT)
            destination.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, destination, ignore=_IGNORED)
            else:
                shutil.copy2(source, destination)
        if self._mounted:
            precompile(target, self._mounted)


def precompile(target: Path, mounted: str) -> None:
    """Write the bytecode of the functions' Python beside every module below `target`, which Lambda has at `mounted`.

    Without it a function compiles all that it imports at each cold start, for it cannot write there. Unchecked, since
    nothing changes there either, and files' times are not kept. Raises CalledProcessError with the words of uv, which
    fetches that Python where it is not at hand.
    """
    command = [
        *(_uv(), "run", "--quiet", "--no-project", "--python", PYTHON_VERSION, "python", "-m", "compileall", "-q"),
        *("--invalidation-mode", "unchecked-hash", "-s", str(target), "-p", mounted, str(target)),
    ]
    subprocess.run(command, check=True, cwd=target)  # noqa: S603 - no shell, and every word is ours


def _uv() -> str:
    uv = shutil.which("uv")
    if uv is None:
        raise FileNotFoundError("bundling needs uv on the PATH")
    return uv


def install(requirements: Path, target: Path, machine: str = PLATFORM) -> None:
    """Install pinned wheels for the functions' platform. Raises CalledProcessError with uv's words on stderr."""
    command = [
        *(_uv(), "pip", "install", "--quiet", "--target", str(target)),
        *("--python-platform", machine, "--python-version", PYTHON_VERSION),
        *("--only-binary", ":all:", "--require-hashes", "--no-deps", "-r", str(requirements)),
    ]
    subprocess.run(command, check=True, cwd=ROOT)  # noqa: S603 - no shell, and every word is ours
    # A function and its layers hold 250 MB: packages' own tests, commands that nobody can run there, and what only a
    # compiler or a type checker reads stay behind.
    for unused in (target / "bin", *target.rglob("tests"), *(target / folder for folder in _UNUSED)):
        shutil.rmtree(unused, ignore_errors=True)
    for source in (file for file in target.rglob("*") if file.suffix in _SOURCES):
        source.unlink()
    (target / ".lock").unlink(missing_ok=True)
