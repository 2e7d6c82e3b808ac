"""Events that were acknowledged, for people who ask what became of one. Committed many at a time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from clients.store.database import Database
from clients.store.schema import events


@dataclass(frozen=True)
class SeenEvent:
    """An event as it was first seen. `business_id` is what it is about, "" where it does not say."""

    event_id: str
    type: str
    business_id: str
    outcome: str
    at: datetime


_KEY = (events.c.connection, events.c.event_id)
_NEWEST = (
    select(events)
    .where(events.c.connection == bindparam("connection"))
    .order_by(events.c.at.desc(), events.c.event_id)
    .limit(bindparam("limit"))
)
_ABOUT = _NEWEST.where(events.c.business_id == bindparam("business_id"))


class SeenEvents:
    """The events of every connection, each one once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert = database.insert(events).on_conflict_do_nothing(index_elements=_KEY).returning(*_KEY)
        self._turn = asyncio.Lock()
        self._batch: list[dict[str, object]] = []
        self._commit: asyncio.Task[list[bool]] | None = None

    async def saw(
        self, connection: str, event_id: str, *, type: str, business_id: str, outcome: str, at: datetime
    ) -> bool:
        """True for the first call with this event id in any process. Concurrent calls share one commit.

        It records, it does not guard: an event is acted on before it is written down here, so a lost answer
        loses no event.
        """
        if self._commit is None:
            self._batch = []
            self._commit = asyncio.create_task(self._together(self._batch))
        batch, commit, place = self._batch, self._commit, len(self._batch)
        batch.append(
            {
                "connection": connection,
                "event_id": event_id,
                "type": type,
                "business_id": business_id,
                "outcome": outcome,
                "at": at,
            }
        )
        return (await asyncio.shield(commit))[place]

    async def _together(self, batch: list[dict[str, object]]) -> list[bool]:
        """Commit whoever came while the commit before was under way; for each, whether it was the first."""
        async with self._turn:
            self._commit = None
            # In one order everywhere, or two processes could wait for each other's rows.
            rows = {(str(row["connection"]), str(row["event_id"])): row for row in reversed(batch)}
            ordered = [rows[key] for key in sorted(rows)]

            def work(visit: Connection) -> set[tuple[str, str]]:
                inserted = visit.execute(self._insert, ordered)
                return {(row.connection, row.event_id) for row in inserted}

            new = await self._database.write(work)
        answers = []
        for row in batch:
            key = (str(row["connection"]), str(row["event_id"]))
            answers.append(key in new)
            new.discard(key)
        return answers

    async def list(self, connection: str, *, business_id: str = "", limit: int = 100) -> list[SeenEvent]:
        """The newest events first, of everything or of one business id."""
        if business_id:
            rows = await self._database.read(_ABOUT, connection=connection, business_id=business_id, limit=limit)
        else:
            rows = await self._database.read(_NEWEST, connection=connection, limit=limit)
        return [SeenEvent(row.event_id, row.type, row.business_id, row.outcome, row.at) for row in rows]
