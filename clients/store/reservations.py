"""Reservations: who is about to sell which pieces, so that two payments never count on the same ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from clients.store.database import Database
from clients.store.schema import reservation_clocks, reservations
from domain.stock import Verdict, judge

# Longer than any look at Zoho's stock may take: only a look under way asks for what was confirmed since it began.
_KEEP = timedelta(days=1)

_OF = reservations.c.connection == bindparam("of")
_MINE = _OF & (reservations.c.payment_id == bindparam("payment"))
_CLOCK = reservation_clocks.c.connection == bindparam("of")
_TIME = select(reservation_clocks.c.ticks).where(_CLOCK)
_LOCK = _TIME.with_for_update()
_TICK = update(reservation_clocks).where(_CLOCK).values(ticks=reservation_clocks.c.ticks + 1)
_UNCERTAIN = select(reservations).where(
    _OF,
    reservations.c.payment_id != bindparam("payment"),
    reservations.c.item_id.in_(bindparam("items", expanding=True)),
    or_(reservations.c.confirmed.is_(None), reservations.c.confirmed > bindparam("since")),
)
_TAKE = insert(reservations)
_CONFIRM = (
    update(reservations)
    .where(_MINE, reservations.c.confirmed.is_(None))
    .values(confirmed=bindparam("tick"), at=bindparam("now"))
    .returning(reservations.c.item_id)
)
_FORGET = delete(reservations).where(_MINE)
_LET_GO = _FORGET.where(reservations.c.confirmed.is_(None))
_OLD = delete(reservations).where(_OF, reservations.c.confirmed.is_not(None), reservations.c.at < bindparam("before"))


@dataclass(frozen=True)
class Reserved:
    """The answer to `reserve`: the verdict, and the payments whose reservations were counted against it."""

    verdict: Verdict
    before: tuple[str, ...] = ()


class Reservations:
    """One row for each payment and item: pending until the order is confirmed in Zoho, then with its tick.

    Ticks count confirmations of a connection. What was confirmed at or before the tick at which a look at Zoho began
    is inside the number that Zoho told; everything else may not be, and is counted against it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._first = database.insert(reservation_clocks).on_conflict_do_nothing(
            index_elements=[reservation_clocks.c.connection]
        )

    async def tick(self, connection: str) -> int:
        """The tick of now, to be taken before Zoho is asked."""
        rows = await self._database.read(_TIME, of=connection)
        return int(rows[0].ticks) if rows else 0

    async def reserve(
        self,
        connection: str,
        payment_id: str,
        wanted: Mapping[str, Decimal],
        *,
        left: Mapping[str, Decimal],
        since: int,
        at: datetime,
    ) -> Reserved:
        """Reserve all of `wanted`, by item id, if what Zoho has `left` is enough for it and for everybody before.

        `left` was told by Zoho after the tick `since`. What the payment itself had reserved before gives way.
        """

        def work(visit: Connection) -> Reserved:
            self._alone(visit, connection)
            asked = {"of": connection, "payment": payment_id, "items": list(left), "since": since}
            rows = visit.execute(_UNCERTAIN, asked).all()
            uncertain: dict[str, Decimal] = {}
            for row in rows:
                uncertain[row.item_id] = uncertain.get(row.item_id, Decimal(0)) + Decimal(row.quantity)
            verdict = judge(wanted, left, uncertain)
            if verdict is Verdict.ENOUGH:
                _take(visit, connection, payment_id, {i: q for i, q in wanted.items() if i in left}, at)
            else:
                visit.execute(_LET_GO, {"of": connection, "payment": payment_id})
            return Reserved(verdict, tuple(sorted({row.payment_id for row in rows})))

        return await self._database.write(work)

    async def force(self, connection: str, payment_id: str, wanted: Mapping[str, Decimal], *, at: datetime) -> None:
        """Reserve although there may be too little, so that others count it."""

        def work(visit: Connection) -> None:
            self._alone(visit, connection)
            _take(visit, connection, payment_id, wanted, at)

        await self._database.write(work)

    async def confirm(self, connection: str, payment_id: str, *, at: datetime) -> None:
        """The order is confirmed in Zoho, whose number holds it from now on. Repeated, it changes nothing."""

        def work(visit: Connection) -> None:
            tick = self._alone(visit, connection) + 1
            row = {"of": connection, "payment": payment_id, "tick": tick, "now": at}
            if visit.execute(_CONFIRM, row).first() is not None:
                visit.execute(_TICK, {"of": connection})
                visit.execute(_OLD, {"of": connection, "before": at - _KEEP})

        await self._database.write(work)

    async def let_go(self, connection: str, payment_id: str) -> None:
        """The payment waits for a person: what it has not confirmed is free."""
        await self._database.execute(_LET_GO, {"of": connection, "payment": payment_id})

    async def forget(self, connection: str, payment_id: str) -> None:
        """The order was taken back: whatever it reserved is free."""
        await self._database.execute(_FORGET, {"of": connection, "payment": payment_id})

    def _alone(self, visit: Connection, connection: str) -> int:
        """The tick of now; nobody else changes reservations of the connection before the transaction ends."""
        row = visit.execute(_LOCK, {"of": connection}).first()
        if row is None:
            visit.execute(self._first, {"connection": connection, "ticks": 0})
            row = visit.execute(_LOCK, {"of": connection}).one()
        return int(row.ticks)


def _take(visit: Connection, connection: str, payment_id: str, wanted: Mapping[str, Decimal], at: datetime) -> None:
    visit.execute(_FORGET, {"of": connection, "payment": payment_id})
    for item_id, quantity in sorted(wanted.items()):
        row = {"connection": connection, "payment_id": payment_id, "item_id": item_id, "quantity": str(quantity)}
        visit.execute(_TAKE, row | {"at": at})
