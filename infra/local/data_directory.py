"""The data directory: its files, and its lock to one process."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from infra.local.errors import LocalCloudError

_LOG_LIMIT = 10 * 1024 * 1024


class DirectoryInUseError(LocalCloudError):
    """Another process serves from this data directory."""


class DirectoryUnusableError(LocalCloudError):
    """The data directory cannot be made or written."""


class DataDirectory:
    """The folder that everything is kept in; private to its owner except where PostgreSQL's account must pass."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._lock: TextIO | None = None

    @property
    def assemblies(self) -> Path:
        """Synthesized templates."""
        return self.path / "assemblies"

    @property
    def objects(self) -> Path:
        """S3 objects as files."""
        return self.path / "objects"

    @property
    def scratch(self) -> Path:
        """Temporary files of the functions."""
        return self.path / "scratch"

    @property
    def state(self) -> Path:
        """Users, secrets, schedules (SQLite)."""
        return self.path / "state.sqlite3"

    @property
    def logs(self) -> Path:
        """Logs."""
        return self.path / "logs"

    def log(self, name: str) -> TextIO:
        """A log to append to, line by line; a large one is set aside first (one older log is kept).

        Raises DirectoryUnusableError.
        """
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
            path = self.logs / name
            if path.exists() and path.stat().st_size > _LOG_LIMIT:
                path.replace(path.with_name(f"{name}.1"))
            return path.open("a", buffering=1, encoding="utf-8")
        except OSError as error:
            raise self._unusable(error) from error

    def __enter__(self) -> Self:
        """Takes the directory, for as long as the process lives, however it ends.

        Raises DirectoryInUseError, DirectoryUnusableError.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = (self.path / "lock").open("a+")
        except OSError as error:
            raise self._unusable(error) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.seek(0)
            holder = self._lock.read().strip() or "unknown"
            self._lock.close()
            raise DirectoryInUseError(
                f"{self.path} is in use by process {holder}: stop that first, or choose another --data-dir"
            ) from None
        self._lock.truncate(0)
        self._lock.write(str(os.getpid()))
        self._lock.flush()
        return self

    def _unusable(self, error: OSError) -> DirectoryUnusableError:
        return DirectoryUnusableError(
            f"{self.path} cannot be the data directory ({error.strerror}): choose another --data-dir"
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock:
            self._lock.close()
            self._lock = None
