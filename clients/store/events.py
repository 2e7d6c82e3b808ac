"""Events that came, for people who ask what became of one, and for sweeps. Committed many at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select

from clients.store.database import Database, Rows
from clients.store.schema import events
from domain.sweeps import HEALED, IGNORED, REFUSED


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
_DEAD = _NEWEST.where(events.c.outcome.like(f"{IGNORED}%") | events.c.outcome.like(f"{REFUSED}%"))
_HEALED = _NEWEST.where(events.c.outcome.like(f"{HEALED}%"))
_OUTCOMES = select(events.c.event_id, events.c.outcome).where(
    events.c.connection == bindparam("connection"), events.c.event_id.in_(bindparam("event_ids", expanding=True))
)
_FIRST = select(func.min(events.c.at).label("at")).where(events.c.connection == bindparam("connection"))
_THIN = select(events.c.type, events.c.business_id).where(
    events.c.connection == bindparam("connection"),
    events.c.at >= bindparam("since"),
    events.c.type.like("v1.%"),
    events.c.business_id.in_(bindparam("abouts", expanding=True)),
    events.c.outcome.not_like(f"{REFUSED}%"),
)
_TAKEN = (
    select(events)
    .where(
        events.c.connection == bindparam("connection"),
        events.c.at >= bindparam("since"),
        events.c.at < bindparam("until"),
        (events.c.at > bindparam("after_at")) | (events.c.event_id > bindparam("after_id")),
        events.c.outcome.not_like(f"{IGNORED}%"),
        events.c.outcome.not_like(f"{REFUSED}%"),
    )
    .order_by(events.c.at, events.c.event_id)
    .limit(bindparam("limit"))
)
_TALLY = (
    select(events.c.outcome, func.count().label("rows"))
    .where(events.c.connection == bindparam("connection"), events.c.at >= bindparam("since"))
    .group_by(events.c.outcome)
)


class SeenEvents:
    """The events of every connection, each one once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        insert = database.insert(events)
        later = {"outcome": insert.excluded.outcome, "business_id": insert.excluded.business_id}
        # What came again and was taken then is refused no more.
        refused = events.c.outcome.like(f"{REFUSED}%")
        self._insert = insert.on_conflict_do_update(index_elements=_KEY, set_=later, where=refused).returning(*_KEY)
        self._replace = insert.on_conflict_do_update(index_elements=_KEY, set_=later)
        self._turn = asyncio.Lock()
        self._batch: list[dict[str, object]] = []
        self._commit: asyncio.Task[list[bool]] | None = None

    async def saw(
        self, connection: str, event_id: str, *, type: str, business_id: str, outcome: str, at: datetime
    ) -> bool:
        """True for the first call with this event id in any process, and for each one until it is not `refused-…` any
        more. Concurrent calls share one commit.

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

    async def heal(
        self, connection: str, event_id: str, *, type: str, business_id: str, outcome: str, at: datetime
    ) -> None:
        """What a sweep or a person made of the event, in place of what was said before."""
        row = {"connection": connection, "event_id": event_id, "type": type, "business_id": business_id}
        await self._database.execute(self._replace, row | {"outcome": outcome, "at": at})

    async def outcomes(self, connection: str, event_ids: Collection[str]) -> dict[str, str]:
        """What became of those events that came."""
        rows = await self._database.read(_OUTCOMES, connection=connection, event_ids=list(event_ids))
        return {row.event_id: row.outcome for row in rows}

    async def first(self, connection: str) -> datetime | None:
        """When the first event came that is remembered."""
        rows = await self._database.read(_FIRST, connection=connection)
        found: datetime | None = rows[0].at
        return found

    async def thin(self, connection: str, since: datetime, abouts: Collection[str]) -> set[tuple[str, str]]:
        """Thin events that came since then about these objects, by type (without `v1.`) and object: Stripe's list
        has their snapshots, under other ids.
        """
        rows = await self._database.read(_THIN, connection=connection, since=since, abouts=list(abouts))
        return {(row.type.removeprefix("v1."), row.business_id) for row in rows}

    async def taken(
        self, connection: str, since: datetime, until: datetime, *, after: str = "", limit: int = 100
    ) -> list[SeenEvent]:
        """Events that were given to a run, the first that came first; of the moment `since` the ids behind `after`."""
        bounds = {"since": since, "until": until, "after_at": since, "after_id": after}
        return _seen(await self._database.read(_TAKEN, connection=connection, limit=limit, **bounds))

    async def dead(self, connection: str, *, limit: int = 100) -> list[SeenEvent]:
        """The newest events that became nothing, each with its reason: `ignored-…`, `refused-…`."""
        return _seen(await self._database.read(_DEAD, connection=connection, limit=limit))

    async def healed(self, connection: str, *, limit: int = 100) -> list[SeenEvent]:
        """The newest events that a sweep had to find, each with why: `healed-…`."""
        return _seen(await self._database.read(_HEALED, connection=connection, limit=limit))

    async def tally(self, connection: str, since: datetime) -> dict[str, int]:
        """How many events that came since then ended how, by outcome."""
        rows = await self._database.read(_TALLY, connection=connection, since=since)
        return {row.outcome: int(row.rows) for row in rows}

    async def list(self, connection: str, *, business_id: str = "", limit: int = 100) -> list[SeenEvent]:
        """The newest events first, of everything or of one business id."""
        if business_id:
            rows = await self._database.read(_ABOUT, connection=connection, business_id=business_id, limit=limit)
        else:
            rows = await self._database.read(_NEWEST, connection=connection, limit=limit)
        return _seen(rows)


def _seen(rows: Rows) -> list[SeenEvent]:
    return [SeenEvent(row.event_id, row.type, row.business_id, row.outcome, row.at) for row in rows]
