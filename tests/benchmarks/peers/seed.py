"""The architecture that this one replaces, running: Flask in front of FastAPI on asyncpg, for one property."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import RSAAlgorithm
from sqlalchemy.engine import URL

from functions.properties.schemas.parcels import PropertyDetail
from infra.local.state import StateStore

COLUMNS = ", ".join(PropertyDetail.model_fields)


@contextmanager
def seed_architecture(url: URL, data_dir: Path) -> Iterator[tuple[str, list[psutil.Process]]]:
    """Both servers on a local cloud's database and keys: the address, and their processes."""
    state = StateStore(data_dir / "state.sqlite3")
    key: Any = load_pem_private_key(str(state.get("signing_key", "tokens")).encode(), None)
    state.close()
    service, gateway = _free_address(), _free_address()
    environment = os.environ | {
        "PEER_DSN": f"postgresql://{url.username}:{url.password}@{url.host}:{url.port}/{url.database}?sslmode=disable",
        "PEER_QUERY": f"SELECT {COLUMNS} FROM properties_operational WHERE county_id = $1 AND property_id = $2",
        "PEER_SERVICE": f"http://{service}",
        "PEER_JWK": json.dumps(RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)),
    }
    host, port = service.split(":")
    peers = "tests.benchmarks.peers"
    quiet, keep = ["--log-level", "warning"], ["--keep-alive", "60"]
    servers = [
        [
            sys.executable,
            "-m",
            "uvicorn",
            f"{peers}.fastapi_service:app",
            "--host",
            host,
            "--port",
            port,
            *quiet,
            "--no-access-log",
        ],
        [
            sys.executable,
            "-m",
            "gunicorn",
            f"{peers}.flask_gateway:app",
            "--bind",
            gateway,
            "--threads",
            "2",
            "--access-logfile",  # ours keeps one too
            str(data_dir / "peer.log"),
            *keep,
            *quiet,
        ],
    ]
    with ExitStack() as stack:
        running = [stack.enter_context(subprocess.Popen(server, env=environment)) for server in servers]
        try:
            for address in (service, gateway):
                wait(lambda address=address: _listens(address))  # type: ignore[misc]
            families = [psutil.Process(each.pid) for each in running]
            yield f"http://{gateway}", [p for each in families for p in (each, *each.children(recursive=True))]
        finally:
            for each in running:
                each.terminate()


def _free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def _listens(address: str) -> bool:
    host, port = address.split(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def wait(holds: Callable[[], bool], seconds: float = 120) -> None:
    """Wait until something holds. Raises TimeoutError."""
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            raise TimeoutError("the server did not start")
        time.sleep(0.05)


def application_url(data_dir: Path) -> URL:
    """Address of the platform's database, from the secret that its functions read."""
    return _database_url(data_dir, "ApplicationSecret")


def owner_url(data_dir: Path) -> URL:
    """The same as the owner of its tables."""
    return _database_url(data_dir, "ClusterSecret")


def _database_url(data_dir: Path, secret_name: str) -> URL:
    state = StateStore(data_dir / "state.sqlite3")
    secrets = {name: body for name, body in state.all("secret").items() if secret_name in name}
    state.close()
    (secret,) = secrets.values()
    (version,) = secret["versions"].values()
    found: dict[str, Any] = json.loads(version["secret_string"])
    return URL.create(
        "postgresql+pg8000",
        found["username"],
        found["password"],
        found["host"],
        int(found["port"]),
        found["dbname"],
        {"sslmode": "disable"},
    )
