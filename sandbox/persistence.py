"""State that survives the program: collections kept in memory and written through to one SQLite file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, MutableMapping, ValuesView
from decimal import Decimal
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware


class Database:
    """Named collections of JSON documents; without a path they live in memory only.

    Writes are committed together by `commit`, which the middleware calls before an answer leaves, so a killed
    program comes back with everything it has answered.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._file: sqlite3.Connection | None = None
        self._collections: dict[str, Collection] = {}
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(path)
            # The program may be killed at any time, the machine rarely: no waiting for the disk.
            self._file.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;")
            self._file.execute(
                "CREATE TABLE IF NOT EXISTS documents"
                " (collection TEXT, key TEXT, place INTEGER, body TEXT, PRIMARY KEY (collection, key))"
            )

    def collection(self, name: str) -> Collection:
        """The one collection of that name, with the rows it had when the program last ended."""
        if name not in self._collections:
            self._collections[name] = Collection(name, self._file)
        return self._collections[name]

    def clear(self) -> None:
        """Empties every collection, also those of the file nobody has opened yet."""
        for collection in self._collections.values():
            collection.clear()
        if self._file is not None:
            self._file.execute("DELETE FROM documents")
        self.commit()

    def commit(self) -> None:
        """Makes all writes until now survive the end of the program."""
        if self._file is not None:
            self._file.commit()

    def close(self) -> None:
        """Commits and lets go of the file."""
        if self._file is not None:
            self._file.commit()
            self._file.close()
            self._file = None

    def middleware(self) -> Middleware:
        """Commits after each handler, before its answer is sent."""

        @web.middleware
        async def committing(request: web.Request, handler: Handler) -> web.StreamResponse:
            try:
                return await handler(request)
            finally:
                self.commit()

        return committing


class Collection(MutableMapping[str, Any]):
    """Documents by key in the order they were first put; after a change in place call `save`."""

    def __init__(self, name: str, file: sqlite3.Connection | None) -> None:
        self._name, self._file = name, file
        self._rows: dict[str, Any] = {}
        self._places: dict[str, int] = {}
        self._next = 0
        if file is not None:
            query = "SELECT key, place, body FROM documents WHERE collection = ? ORDER BY place"
            for key, place, body in file.execute(query, (name,)):
                self._rows[key] = json.loads(body, object_hook=_decode)
                self._places[key], self._next = place, place + 1

    def __getitem__(self, key: str) -> Any:
        return self._rows[key]

    def __setitem__(self, key: str, document: Any) -> None:
        if key not in self._places:
            self._places[key], self._next = self._next, self._next + 1
        self._rows[key] = document
        self.save(key)

    def __delitem__(self, key: str) -> None:
        del self._rows[key]
        del self._places[key]
        if self._file is not None:
            self._file.execute("DELETE FROM documents WHERE collection = ? AND key = ?", (self._name, key))

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def values(self) -> ValuesView[Any]:
        """The documents, oldest first, without the detour of the general mapping."""
        return self._rows.values()

    def save(self, key: str) -> None:
        """Writes the document of `key` through after it was changed in place."""
        if self._file is not None:
            body = json.dumps(self._rows[key], default=_encode)
            self._file.execute(
                "INSERT INTO documents VALUES (?, ?, ?, ?)"
                " ON CONFLICT (collection, key) DO UPDATE SET body = excluded.body",
                (self._name, key, self._places[key], body),
            )

    def clear(self) -> None:
        """Forgets every document."""
        self._rows.clear()
        self._places.clear()
        if self._file is not None:
            self._file.execute("DELETE FROM documents WHERE collection = ?", (self._name,))


def _encode(value: object) -> dict[str, str]:
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    raise TypeError(f"{type(value).__name__} has no place in a document")


def _decode(document: dict[str, Any]) -> Any:
    return Decimal(document["$decimal"]) if document.keys() == {"$decimal"} else document
