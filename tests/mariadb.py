"""A MariaDB or MySQL server of a test session's own, where one is installed."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pymysql

PASSWORD = "pa55word-of-the-reader"


def server_binary() -> str | None:
    """The installed server, or None."""
    for name in ("mariadbd", "mysqld"):
        program = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
        if program and shutil.which("mariadb-install-db"):
            return program
    return None


class MariaDb:
    """Started in `folder`, gone with `stop`; its data is thrown away."""

    def __init__(self, binary: str, folder: Path) -> None:
        data = folder / "data"
        user = ["--user=root"] if os.geteuid() == 0 else []  # who is not root runs it as themselves
        subprocess.run(
            ["mariadb-install-db", *user, f"--datadir={data}", "--auth-root-authentication-method=normal"],
            check=True,
            capture_output=True,
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        startup = folder / "startup.sql"
        startup.write_text(
            f"CREATE DATABASE cama;\nCREATE USER writer@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n"
            "GRANT ALL ON cama.* TO writer@'127.0.0.1';\n"
        )
        self._process = subprocess.Popen(
            [
                *(binary, "--no-defaults", *user, f"--datadir={data}", f"--port={self.port}"),
                *("--bind-address=127.0.0.1", f"--socket={folder / 'm.sock'}", f"--init-file={startup}"),
                *("--innodb-flush-log-at-trx-commit=0", "--skip-log-bin", "--skip-name-resolve"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=(folder / "log").open("w"),
        )
        self._wait()

    def run(self, *statements: str) -> None:
        """Change the data."""
        with self._connect() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            connection.commit()

    def stop(self) -> None:
        """End the server."""
        self._process.terminate()
        self._process.wait(30)

    def _connect(self) -> pymysql.Connection:
        return pymysql.connect(host="127.0.0.1", port=self.port, user="writer", password=PASSWORD, database="cama")

    def _wait(self) -> None:
        for _ in range(300):
            try:
                self._connect().close()
            except pymysql.Error:
                time.sleep(0.1)
            else:
                return
        self.stop()
        raise TimeoutError("MariaDB did not start")
