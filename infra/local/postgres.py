"""A PostgreSQL server of our own, in a folder, for as long as this process lives."""

import logging
import math
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pg8000.native import Connection, identifier, literal
from sqlalchemy import URL

from infra.local.child_processes import Service, Watchdog, ends_with_parent
from infra.local.errors import LocalCloudError
from infra.local.postgres_binaries import ServerAccount, program_folder, server_account, server_major
from shared.db.driver import StreamClosing

_START_SECONDS = 30.0
_AGAIN_SECONDS = 0.2
_CHECKPOINT_SECONDS = 1.5
"""Granted to the checkpoint of a shutdown: whoever stops the local cloud should not wait for the disk."""
_THROWAWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_wal_size": "256MB",
}
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # TCP only: a socket's path may be too long
    "max_connections": "100",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


_log = logging.getLogger(__name__)


class PostgresDidNotStartError(LocalCloudError):
    """The server ended, or was not ready in time; the message holds the end of its log."""


class _Session(StreamClosing, Connection):  # type: ignore[misc]  # pg8000 carries no types
    """A session of the superuser."""


class LocalPostgres(Service):
    """A server on a free loopback port.

    Everything is kept under `data_dir/postgres`, passwords in files of mode 600. With `durable=False` nothing survives
    a crash of the machine, and tests run faster.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self._root = data_dir.resolve() / "postgres"
        self._cluster = self._root / "cluster"
        self._log = data_dir.resolve() / "logs" / "postgres.log"
        self._data_dir = data_dir
        self._durable = durable
        self._account: ServerAccount | None = server_account()
        self._process: subprocess.Popen[bytes] | None = None
        self._watchdog: Watchdog | None = None
        self._launching = threading.RLock()
        self._stopped = False
        self._owner = self._database = ""
        self.initialised = False
        """True if the start made a new, empty cluster."""
        self.host = "127.0.0.1"
        self.port = 0

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process else None

    @property
    def admin_url(self) -> URL:
        """The superuser on the maintenance database: for making roles and databases."""
        return self._url("postgres", self._password("superuser"), "postgres")

    def owner_url(self, database: str | None = None) -> URL:
        """The owner on `database`, by default on its own (see `create_owner`)."""
        return self._url(self._owner, self._password("owner"), database or self._database)

    def start(self) -> None:
        """Starts the server, initialised at the first start; returns when it takes connections.

        Must be called from the main thread on Linux (see `ends_with_parent`).
        """
        if sys.platform == "linux" and threading.current_thread() is not threading.main_thread():
            message = "PostgreSQL must be started from the main thread: it ends with its thread"
            raise RuntimeError(message)
        programs = program_folder(self._data_dir)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._root.mkdir(parents=True, exist_ok=True)
        self._root.chmod(0o711 if self._account else 0o700)
        self._require_same_major()
        self._stopped = False
        try:
            if not (self._cluster / "PG_VERSION").exists() or not self._password_file("superuser").exists():
                self._initialise(programs)
                self.initialised = True
            deadline = time.monotonic() + _START_SECONDS
            while not self._launched(programs, deadline):
                time.sleep(0.2)
        except BaseException:
            self.stop()
            raise

    def keep_running(self) -> None:
        """From now on a server that ends by itself, or is killed, is started again on its port."""
        # a thread that lives as long as the server should: the kernel ends a child with the thread that made it
        threading.Thread(target=self._keep, name="postgres", daemon=True).start()

    def stop(self) -> None:
        """Shutdown: open transactions are rolled back, everything committed is on disk."""
        self._stopped = True
        with self._launching:
            process, self._process = self._process, None
        if process is None:
            return
        if self._watchdog:
            self._watchdog.dismiss()
            self._watchdog = None
        # fast, with a checkpoint; immediate, which leaves recovery to the next start; and not to be refused
        for sent, seconds in ((signal.SIGINT, _CHECKPOINT_SECONDS), (signal.SIGQUIT, 1.0), (signal.SIGKILL, None)):
            process.send_signal(sent)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
            return

    def create_owner(self, role: str, database: str) -> None:
        """The role that a deployment finds on Aurora as its master user, and its database; kept where they exist.

        The role may create roles and databases, and is no superuser.
        """
        self._owner, self._database = role, database
        exists = self._run("SELECT 1 FROM pg_database WHERE datname = :name", name=database)
        if exists and self._password_file("owner").exists():
            return
        self.create_role(role, self._new_password("owner"), "LOGIN CREATEROLE CREATEDB NOSUPERUSER")
        if not exists:
            self.create_database(database)

    def create_database(self, name: str, template: str | None = None) -> None:
        """Create an empty database of the owner's, or a copy (about 0.1 s) of `template`, which must be idle."""
        copied = f" TEMPLATE {identifier(template)}" if template else ""
        if not self._durable:
            copied += " STRATEGY FILE_COPY"  # without syncing, its checkpoint costs less than logging every page
        self._run(f"CREATE DATABASE {identifier(name)} OWNER {identifier(self._owner)}{copied}")

    def drop_database(self, name: str) -> None:
        """Removes the database, ending whatever is connected to it."""
        self._run(f"DROP DATABASE IF EXISTS {identifier(name)} WITH (FORCE)")

    def create_role(self, name: str, password: str, options: str = "LOGIN") -> None:
        """Makes the role, or gives an existing one this password and these options."""
        exists = self._run("SELECT 1 FROM pg_roles WHERE rolname = :name", name=name)
        verb = "ALTER" if exists else "CREATE"
        self._run(f"{verb} ROLE {identifier(name)} WITH {options} PASSWORD {literal(password)}")

    def _url(self, user: str, password: str, database: str) -> URL:
        return URL.create("postgresql+pg8000", user, password, self.host, self.port, database, {"sslmode": "disable"})

    @contextmanager
    def _session(self) -> Iterator["_Session"]:
        connection = _Session(
            "postgres",
            password=self._password("superuser"),
            host=self.host,
            port=self.port,
            database="postgres",
            ssl_context=False,
            timeout=_START_SECONDS,
        )
        try:
            yield connection
        finally:
            connection.close()

    def _run(self, statement: str, **parameters: str) -> list[list[Any]]:
        with self._session() as session:
            return list(session.run(statement, **parameters) or [])

    # --- passwords

    def _password_file(self, role: str) -> Path:
        return self._root / f"{role}.password"

    def _password(self, role: str) -> str:
        return self._password_file(role).read_text()

    def _new_password(self, role: str) -> str:
        path = self._password_file(role)
        path.unlink(missing_ok=True)
        password = secrets.token_urlsafe(24)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(password)
        return password

    # --- processes

    def _initialise(self, programs: Path) -> None:
        """Runs initdb; an earlier attempt that was cut short leaves no password and is started over."""
        if self._cluster.exists():
            abandoned = self._root / f"cluster.incomplete.{secrets.token_hex(4)}"
            self._cluster.rename(abandoned)
        self._cluster.mkdir(mode=0o700)
        secret = self._root / "initial.password"
        secret.unlink(missing_ok=True)
        password = secrets.token_urlsafe(24)
        with os.fdopen(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(password)
        if self._account:
            for path in (self._cluster, secret):
                os.chown(path, self._account.user, self._account.group)
        arguments = [
            "--username=postgres",
            f"--pwfile={self._seen_by_server(secret)}",
            "--auth=scram-sha-256",
        ]
        arguments += ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        arguments += ["--no-instructions", f"--pgdata={self._seen_by_server(self._cluster)}"]
        if not self._durable:
            arguments.append("--no-sync")
        with self._log.open("ab") as log:
            process = self._spawn([str(programs / "initdb"), *arguments], log)
            try:
                ended = process.wait()
            except BaseException:  # a signal: what is half made is made anew by the next start
                process.kill()
                raise
        if ended != 0:
            raise PostgresDidNotStartError(self._end_of_log("initdb failed"))
        if self._account:
            os.chown(secret, 0, 0)
        secret.rename(self._password_file("superuser"))

    def _require_same_major(self) -> None:
        """Refuse a cluster of another major version, which PostgreSQL would not open either."""
        try:
            major = (self._cluster / "PG_VERSION").read_text().strip()
        except (FileNotFoundError, PermissionError):
            return
        if major and major != server_major():
            raise PostgresDidNotStartError(
                f"The data in {self._data_dir} was made by PostgreSQL {major}, and this version runs PostgreSQL"
                f" {server_major()}: start the version that made it, or choose another --data-dir."
            )

    def _keep(self) -> None:
        programs = program_folder(self._data_dir)
        while not self._stopped:
            if process := self._process:
                process.wait()
            with self._launching:
                if not self._stopped:
                    _log.error(
                        "PostgreSQL ended (%s) and is started again", process.returncode if process else "at once"
                    )
                    self._launched(programs, math.inf, self.port)
            time.sleep(_AGAIN_SECONDS)  # processes of a killed server hold its memory for a moment

    def _launched(self, programs: Path, deadline: float, port: int | None = None) -> bool:
        """One attempt. False: try again (the port was taken, or an earlier server is still shutting down)."""
        self._forget_stale_lock()
        self.port = port or self._kept_port()
        settings = _SETTINGS | ({} if self._durable else _THROWAWAY) | {"port": str(self.port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(programs / "postgres"), "-D", self._seen_by_server(self._cluster), *options]
        with self._log.open("ab") as log:
            process = self._spawn(command, log)
        self._process = process
        if sys.platform != "linux":
            self._watchdog = Watchdog(process.pid, signal.SIGINT)
        while process.poll() is None:
            if self._ready(process.pid):
                return True
            if self._stopped:
                return False
            if time.monotonic() > deadline:
                self.stop()
                raise PostgresDidNotStartError(self._end_of_log("PostgreSQL was not ready in time"))
            time.sleep(0.02)
        self._process = None
        if time.monotonic() > deadline - _START_SECONDS + 10:
            raise PostgresDidNotStartError(self._end_of_log("PostgreSQL ended"))
        return False

    def _spawn(self, command: list[str], log: Any) -> subprocess.Popen[bytes]:
        account: dict[str, Any] = {}
        if self._account:
            account = {"user": self._account.user, "group": self._account.group, "extra_groups": []}
        return subprocess.Popen(  # noqa: S603
            command,
            cwd=self._cluster,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={"LC_ALL": "C", "PATH": os.defpath} | _library_path(),
            preexec_fn=ends_with_parent(signal.SIGINT),
            start_new_session=True,  # Ctrl-C in the terminal is ours to act on, in our order
            **account,
        )

    def _seen_by_server(self, path: Path) -> str:
        """The path as `nobody` can open it: through its own folder, past any private folder above."""
        if not self._account or sys.platform != "linux":
            return str(path)
        return "/proc/self/cwd" if path == self._cluster else f"/proc/self/cwd/../{path.name}"

    def _ready(self, pid: int) -> bool:
        """`pg_ctl`'s test: the eighth line of the lock file, written by this very process."""
        try:
            lines = (self._cluster / "postmaster.pid").read_text().splitlines()
        except (FileNotFoundError, PermissionError):
            return False
        return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"

    def _forget_stale_lock(self) -> None:
        """After a kill the lock may name a process id that something else has taken since.

        PostgreSQL would then refuse to start. Linux tells what the process is; elsewhere PostgreSQL judges.
        """
        lock = self._cluster / "postmaster.pid"
        if sys.platform != "linux" or not lock.exists():
            return
        pid = lock.read_text().split("\n", 1)[0].strip()
        try:
            ours = Path(f"/proc/{pid}/cwd").resolve(strict=True) == self._cluster
        except OSError:
            ours = False
        if not ours:
            lock.unlink()

    def _kept_port(self) -> int:
        """The port of the last start where it is free: addresses in secrets should outlive a restart."""
        file = self._root / "port"
        port = _free_port(int(file.read_text()) if file.exists() else 0)
        file.write_text(str(port))
        return port

    def _end_of_log(self, what: str) -> str:
        tail = self._log.read_text(errors="replace").splitlines()[-12:]
        return "\n".join([f"{what}; the end of {self._log}:", *tail])


_PORTS = range(20_000, 32_000)
"""Below what systems give to outgoing connections, so that none of those takes a kept port between two starts."""


def _free_port(preferred: int = 0) -> int:
    """A free loopback port: `wanted`, or another where that one is taken."""
    choices = [preferred] if preferred else []
    for port in (*choices, *secrets.SystemRandom().sample(_PORTS, 100)):
        with socket.socket() as probe:
            # as PostgreSQL does: connections of an earlier server that linger do not make a port taken
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise PostgresDidNotStartError("There is no free port between 20000 and 32000 on 127.0.0.1.")


def _library_path() -> dict[str, str]:
    return {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH") if name in os.environ}
