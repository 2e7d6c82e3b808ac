"""What keeps a shadow run from writing: a watch that lets questions through only, and memory that is not kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime

from clients.errors import Refused
from clients.store.dossiers import Dossiers
from clients.store.links import Links
from clients.tracing import Exchange
from clients.watch import Watch


class OnlyLooks(Watch):
    """Counts calls by service, and lets nothing through that could write; a new access token is no write."""

    def __init__(self, connection: str) -> None:
        super().__init__(connection)
        self.counts: Counter[str] = Counter()

    @contextmanager
    def call(self, service: str, method: str, url: str) -> Iterator[Exchange]:
        """One call. Refused for any other than a question."""
        method = method.upper()  # Stripe's library writes it small
        token = method == "POST" and url.partition("?")[0].endswith("/oauth/v2/token")
        if method != "GET" and not token:
            raise Refused(service, f"a shadow run writes nothing, and this was to be a {method}", code="shadow")
        self.counts[service] += not token
        with super().call(service, method, url) as exchange:
            yield exchange


class LinksSeen(Links):
    """What the store knows, with what this run has learnt before it; nothing of that is kept."""

    def __init__(self, real: Links) -> None:
        self._real = real
        self._learnt: dict[tuple[str, str, str], str | None] = {}

    async def put(self, connection: str, kind: str, key: str, value: str, *, at: datetime) -> None:
        """Learn it."""
        self._learnt[connection, kind, key] = value

    async def get(self, connection: str, kind: str, key: str) -> str | None:
        """What was learnt, else what the store says."""
        if (place := (connection, kind, key)) in self._learnt:
            return self._learnt[place]
        return await self._real.get(connection, kind, key)

    async def get_many(self, connection: str, kind: str, keys: Collection[str]) -> dict[str, str]:
        """The same for many."""
        found = {**await self._real.get_many(connection, kind, keys)}
        learnt = {key: self._learnt[connection, kind, key] for key in keys if (connection, kind, key) in self._learnt}
        return {key: value for key, value in (found | learnt).items() if value is not None}

    async def forget(self, connection: str, kind: str, key: str) -> None:
        """Know nothing of it any more."""
        self._learnt[connection, kind, key] = None


class DossiersSeen(Dossiers):
    """One payment's dossier at a time, in this process only."""

    def __init__(self) -> None:
        self._parts: dict[tuple[str, str, str], bytes] = {}

    async def put(self, connection: str, payment_id: str, part: str, data: bytes, *, at: datetime) -> str:
        """Keep it until the next payment."""
        self._parts = {key: kept for key, kept in self._parts.items() if key[1] == payment_id}
        self._parts[connection, payment_id, part] = data
        return part

    async def get(self, connection: str, payment_id: str, part: str) -> bytes | None:
        """What was kept."""
        return self._parts.get((connection, payment_id, part))
