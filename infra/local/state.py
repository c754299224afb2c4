"""State that survives a restart, apart from the database and the objects' contents: one SQLite file."""

import json
import sqlite3
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    kind TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, name)
) WITHOUT ROWID
"""


class StateStore:
    """JSON documents by kind and name. Every write is a transaction: after a kill it is there, or never was."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.chmod(0o600)  # it holds passwords
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute(_SCHEMA)
        self._saved: dict[str, dict[str, str]] = {}

    def get(self, kind: str, name: str) -> Any:
        """The document, or None."""
        with self._lock:
            row = self._database.execute(
                "SELECT body FROM documents WHERE kind = ? AND name = ?", (kind, name)
            ).fetchone()
        return json.loads(row[0]) if row else None

    def all(self, kind: str) -> dict[str, Any]:
        """All documents of a kind, by name."""
        with self._lock:
            rows = self._database.execute(
                "SELECT name, body FROM documents WHERE kind = ? ORDER BY name", (kind,)
            ).fetchall()
        return {name: json.loads(body) for name, body in rows}

    def put(self, kind: str, name: str, document: Any) -> None:
        """Writes one document."""
        self.change(kind, {name: document}, ())

    def change(self, kind: str, written: Mapping[str, Any], removed: Iterable[str]) -> None:
        """Writes and removes documents of a kind, all or none."""
        self._write(kind, {name: json.dumps(document) for name, document in written.items()}, removed)

    def mirror(self, kind: str, documents: Mapping[str, Any]) -> None:
        """Makes the documents of a kind these and no others; only what differs is written."""
        bodies = {name: json.dumps(document, sort_keys=True) for name, document in documents.items()}
        saved = self._saved.get(kind)
        if saved is None:
            saved = {name: json.dumps(document, sort_keys=True) for name, document in self.all(kind).items()}
        changed = {name: body for name, body in bodies.items() if saved.get(name) != body}
        removed = saved.keys() - bodies.keys()
        if changed or removed:
            self._write(kind, changed, removed)
        self._saved[kind] = bodies

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._database.close()

    def _write(self, kind: str, bodies: Mapping[str, str], removed: Iterable[str]) -> None:
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                self._database.executemany(
                    "INSERT INTO documents VALUES (?, ?, ?)"
                    " ON CONFLICT (kind, name) DO UPDATE SET body = excluded.body",
                    [(kind, name, body) for name, body in bodies.items()],
                )
                self._database.executemany(
                    "DELETE FROM documents WHERE kind = ? AND name = ?", [(kind, name) for name in removed]
                )
                self._database.execute("COMMIT")
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
