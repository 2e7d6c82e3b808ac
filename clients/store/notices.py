"""Who is told of what waits for a person: once for all that wait for the same reason, and once when none is left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, and_, bindparam, delete, func, select, text, update

from clients.store.database import Database
from clients.store.schema import notices

_TOPIC = and_(notices.c.connection == bindparam("in_connection"), notices.c.topic == bindparam("in_topic"))
_MEMBERS = and_(_TOPIC, notices.c.member != "")
_ONE = and_(_TOPIC, notices.c.member == bindparam("in_member"))
_GET = select(notices.c.at, notices.c.told).where(_ONE)
_COUNT = select(func.count(), func.coalesce(func.sum(notices.c.told), 0)).where(_MEMBERS)
_LEAVE = delete(notices).where(_ONE)
_FORGET_STALE = delete(notices).where(_MEMBERS, notices.c.at < bindparam("in_before"))
_ALL_TOLD = update(notices).where(_MEMBERS).values(told=1)
_TAKE_BACK = update(notices).where(_ONE).values(told=notices.c.told - 1)
_OPEN = update(notices).where(_ONE)
# One speaker at a time for a topic; in SQLite every writing transaction already is alone.
_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended('notices:' || :in_connection || :in_topic, 0))")


_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Turn:
    """Whether to speak now, and for how many; else `again` after this time, or not at all: others have spoken."""

    waiting: int = 0
    again: timedelta | None = None


class Notices:
    """Those who wait, by connection and topic. A topic is spoken of once in a while, for all its members together."""

    def __init__(self, database: Database) -> None:
        self._database = database
        insert = database.insert(notices)
        key = (notices.c.connection, notices.c.topic, notices.c.member)
        self._join = insert.on_conflict_do_update(index_elements=key, set_={"at": insert.excluded.at})
        self._speak = insert.on_conflict_do_update(
            index_elements=key, set_={"at": insert.excluded.at, "told": notices.c.told + insert.excluded.told}
        )

    async def join(self, connection: str, topic: str, member: str, *, at: datetime) -> None:
        """`member` waits from now on; who joins again only says that it still does."""
        await self._database.execute(self._join, _row(connection, topic, member, at))

    async def turn(
        self, connection: str, topic: str, member: str, *, at: datetime, every: timedelta, stale: timedelta
    ) -> Turn:
        """Let `member` speak for everybody who waits, unless somebody spoke within `every`.

        Of those who were told of already, none needs to speak again then. Members that have not been heard of for
        `stale` are forgotten: their runs were ended from outside.
        """
        where = _where(connection, topic)

        def work(visit: Connection) -> Turn:
            _alone(visit, where)
            visit.execute(self._join, _row(connection, topic, member, at))
            visit.execute(_FORGET_STALE, where | {"in_before": at - stale})
            spoken = visit.execute(_GET, where | {"in_member": ""}).first()
            if spoken is not None and spoken.at + every > at:
                mine = visit.execute(_GET, where | {"in_member": member}).one()
                return Turn(again=None if mine.told else spoken.at + every - at)
            waiting, told = visit.execute(_COUNT, where).one()
            visit.execute(_ALL_TOLD, where)
            visit.execute(self._speak, _row(connection, topic, "", at) | {"told": waiting - told})
            return Turn(waiting=waiting)

        return await self._database.write(work)

    async def unsaid(self, connection: str, topic: str, member: str) -> None:
        """The words did not arrive: `member` has still to speak, and nobody has to wait for it."""
        where = _where(connection, topic)

        def work(visit: Connection) -> None:
            _alone(visit, where)
            visit.execute(_TAKE_BACK, where | {"in_member": member})
            visit.execute(_TAKE_BACK, where | {"in_member": ""})
            visit.execute(_OPEN, where | {"in_member": "", "at": _LONG_AGO})

        await self._database.write(work)

    async def leave(self, connection: str, topic: str, member: str) -> int:
        """`member` waits no longer. If it was the last that people were told of: of how many they were, else 0."""
        where = _where(connection, topic)

        def work(visit: Connection) -> int:
            _alone(visit, where)
            mine = visit.execute(_GET, where | {"in_member": member}).first()
            visit.execute(_LEAVE, where | {"in_member": member})
            left = visit.execute(_COUNT, where).one()[1]
            if mine is None or not mine.told or left:
                return 0
            spoken = visit.execute(_GET, where | {"in_member": ""}).first()
            visit.execute(_LEAVE, where | {"in_member": ""})
            return int(spoken.told) if spoken else 1

        return await self._database.write(work)

    async def come_back(self, connection: str, topic: str, member: str, *, at: datetime, told: int) -> None:
        """Nobody heard that the last of `told` had left: it is there again, known of, to leave once more."""

        def work(visit: Connection) -> None:
            _alone(visit, _where(connection, topic))
            visit.execute(self._speak, _row(connection, topic, member, at) | {"told": 1})
            visit.execute(self._speak, _row(connection, topic, "", at) | {"told": told})

        await self._database.write(work)


def _alone(visit: Connection, where: dict[str, object]) -> None:
    if visit.dialect.name == "postgresql":
        visit.execute(_ALONE, where)


def _where(connection: str, topic: str) -> dict[str, object]:
    return {"in_connection": connection, "in_topic": topic}


def _row(connection: str, topic: str, member: str, at: datetime) -> dict[str, object]:
    return {"connection": connection, "topic": topic, "member": member, "at": at, "told": 0}
