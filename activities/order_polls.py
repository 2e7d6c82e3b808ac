"""Zoho's lists of changed documents, read page by page; an order of ours in them that we did not change is news."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from temporalio import activity

from activities.carried import CarriedOrder, carried_order
from activities.memory import CREDIT_NOTE
from activities.restocking import SoldOut
from activities.shops import Shops
from domain.by_hand import ByHandPolicy, ZohoList
from domain.order_polls import (
    KeptLook,
    ListedOrders,
    ListedRow,
    ListQuery,
    NamelessNote,
    OrderNews,
    OrderRef,
    PollBegun,
    PollEnd,
    PollQuery,
    changed_since,
    reaches_back,
)
from domain.runs import StepDone

if TYPE_CHECKING:
    from clients.store import EffectRow, Effects, Links

_POLL, _ROW, _LOOKED, _ORDER = "order-poll", "row", "looked", "order"
_READ, _KEPT = "read", "read-remembered"  # how far documents were read, and contacts and items
_PAYMENT = re.compile(r"(pi|ch|py)_\w+")
_LINKED = {ZohoList.SALES_ORDERS: _ORDER, ZohoList.CREDIT_NOTES: CREDIT_NOTE}
_OTHERS = "others"  # what is remembered of a row that is none of ours, whatever becomes of it


class CheckStarter(Protocol):
    """Who can start the run that looks into a changed order."""

    async def check_order(self, connection: str, payment_id: str, salesorder_id: str) -> object:
        """Starts it, if none is open."""
        ...


class OrderPollActivities:
    """What we remember of a row is the state that it had when its order was looked at."""

    def __init__(
        self,
        shops: Shops,
        links: Links,
        effects: Effects,
        sold_out: SoldOut,
        starter: CheckStarter,
        now: Callable[[], datetime],
    ) -> None:
        self._shops = shops
        self._links = links
        self._effects = effects
        self._sold_out = sold_out
        self._starter = starter
        self._now = now

    @activity.defn
    async def begin_order_poll(self, wanted: PollQuery) -> PollBegun:
        """Where the last poll ended, less the overlap, and which carried orders are to be read back."""
        about, now = self._shops[wanted.connection].policy.by_hand, self._now()
        read, kept = [await self._read_until(wanted.connection, cursor) for cursor in (_READ, _KEPT)]
        drawn = await self._links.stalest(
            wanted.connection, _ORDER, marks=_LOOKED, since=now - about.check_for, count=about.checks
        )
        due = (OrderNews(connection=wanted.connection, payment_id=of, salesorder_id=order) for order, of in drawn)
        waits = about.restocked and await self._sold_out.waiting(wanted.connection, now - about.check_for, 1)
        begun = PollBegun(since=_from(read, about, now), at=now, due=tuple(due), sold_out=bool(waits))
        if kept is not None and now < kept + about.memory_every:
            return begun
        return begun.model_copy(update={"remembered": _from(kept, about, now)})

    @activity.defn
    async def list_changed(self, wanted: ListQuery) -> ListedOrders:
        """One page of the list: the orders of ours in it that somebody else may have changed."""
        shop = self._shops[wanted.connection]
        asked = wanted.since if shop.policy.by_hand.by_modified else None
        rows, more = await shop.zoho.lists.page(wanted.list, wanted.page, asked)
        fresh = await self._fresh(wanted, changed_since(rows, wanted.since))
        named = await self._payments(wanted, fresh)
        return ListedOrders(
            news=tuple(await self._news(wanted, fresh, named)),
            nameless=tuple(await self._nameless(wanted, [row for row in fresh if row.document_id not in named])),
            rows=len(rows),
            more=more and not reaches_back(rows, wanted.since),
        )

    @activity.defn
    async def trace_credit_note(self, wanted: NamelessNote) -> OrderNews | None:
        """The order of ours that the credit note is for; None where it is another's, which is not asked again."""
        links = self._links
        order_id = await self._shops[wanted.connection].zoho.credits.order_of(wanted.document_id)
        payment_id = await links.get(wanted.connection, _ORDER, order_id)
        if payment_id is None:
            await links.put(wanted.connection, _ROW, wanted.document_id, _OTHERS, at=self._now())
            return None
        await links.put(wanted.connection, CREDIT_NOTE, wanted.document_id, payment_id, at=self._now())
        return OrderNews(**dict(wanted), payment_id=payment_id, salesorder_id=order_id)

    @activity.defn
    async def keep_look(self, wanted: KeptLook) -> StepDone:
        """Remember that the order was looked at, and what its row said then: it is news again when that changes."""
        await self._links.put(wanted.connection, _LOOKED, wanted.salesorder_id, "", at=self._now())
        if wanted.document_id:
            await self._links.put(wanted.connection, _ROW, wanted.document_id, wanted.state, at=self._now())
        return StepDone()

    @activity.defn
    async def end_order_poll(self, wanted: PollEnd) -> StepDone:
        """Remember how far the lists were read."""
        for cursor in (_READ, _KEPT) if wanted.remembered else (_READ,):
            await self._links.put(wanted.connection, _POLL, cursor, wanted.at.isoformat(), at=self._now())
        return StepDone()

    @activity.defn
    async def tell_check(self, wanted: OrderRef) -> StepDone:
        """Start the run that looks into the order."""
        await self._starter.check_order(wanted.connection, wanted.payment_id, wanted.salesorder_id)
        return StepDone()

    async def _read_until(self, connection: str, cursor: str) -> datetime | None:
        read = await self._links.get(connection, _POLL, cursor)
        return datetime.fromisoformat(read) if read else None

    async def _fresh(self, wanted: ListQuery, rows: Sequence[ListedRow]) -> list[ListedRow]:
        """The rows that are not as they were when they were looked at."""
        known = await self._links.get_many(wanted.connection, _ROW, [row.document_id for row in rows])
        return [row for row in rows if known.get(row.document_id) not in (row.state, _OTHERS)]

    async def _nameless(self, wanted: ListQuery, rows: Sequence[ListedRow]) -> list[NamelessNote]:
        """Credit notes of payers of ours that we know nothing of."""
        if wanted.list is not ZohoList.CREDIT_NOTES or not rows:
            return []
        found = await self._links.keys_of(wanted.connection, "contact", {row.customer for row in rows})
        ours = {contact_id for _, contact_id in found}
        return [
            NamelessNote(connection=wanted.connection, document_id=row.document_id, state=row.state)
            for row in rows
            if row.customer in ours
        ]

    async def _news(self, wanted: ListQuery, fresh: Sequence[ListedRow], named: Mapping[str, str]) -> list[OrderNews]:
        told = await self._effects.of_many(wanted.connection, sorted(set(named.values())))
        news = []
        for row in fresh:
            payment_id = named.get(row.document_id, "")
            order = carried_order(_of(told, payment_id))
            if payment_id and _changed(wanted.list, row, order):
                about = {"connection": wanted.connection, "payment_id": payment_id}
                state = {"document_id": row.document_id, "state": row.state}
                news.append(OrderNews(**about, salesorder_id=order.salesorder_id, **state))
        return news

    async def _payments(self, wanted: ListQuery, rows: Sequence[ListedRow]) -> dict[str, str]:
        """The payment of each row, by its reference; of an order or a credit note, by what we remember."""
        named = {row.document_id: row.reference for row in rows if _PAYMENT.fullmatch(row.reference)}
        if kind := _LINKED.get(wanted.list):
            named |= await self._links.get_many(wanted.connection, kind, [row.document_id for row in rows])
        return named


def _from(read: datetime | None, about: ByHandPolicy, now: datetime) -> datetime:
    """From when on a list is wanted that was read until then."""
    return read - about.overlap if read else now - about.look_back


def _of(rows: Sequence[EffectRow], payment_id: str) -> list[EffectRow]:
    return [row for row in rows if row.stripe_id == payment_id]


def _changed(listed: ZohoList, row: ListedRow, order: CarriedOrder) -> bool:
    """Whether somebody else may have changed it: of an order that is paid, after the last write of ours."""
    if not order.paid or order.busy or order.last_write is None:
        return False
    if listed is ZohoList.SALES_ORDERS and row.document_id != order.salesorder_id:
        return False
    return row.modified is None or row.modified > order.last_write
