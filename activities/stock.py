"""Pieces that an order is about to take: reserved in our store against Zoho's number, sold beyond it, or let go."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from temporalio import activity

from activities.dossier import Dossier
from activities.effects import Once
from activities.orders import CONFIRM
from activities.restocking import SoldOut
from activities.shops import Shops
from domain.runs import PaymentRef, StepDone
from domain.stock import StockAnswer, StockInput, Verdict

if TYPE_CHECKING:
    from clients.store import Reservations

_BEYOND = "sell_beyond_stock"


class StockActivities:
    """One look at Zoho for each order, and none once it is confirmed."""

    def __init__(
        self,
        shops: Shops,
        dossier: Dossier,
        once: Once,
        reservations: Reservations,
        sold_out: SoldOut,
        now: Callable[[], datetime],
    ) -> None:
        self._shops = shops
        self._dossier = dossier
        self._once = once
        self._reservations = reservations
        self._sold_out = sold_out
        self._now = now

    @activity.defn
    async def reserve_stock(self, wanted: StockInput) -> StockAnswer:
        """Ask Zoho what is left for sale and reserve the order's goods, if that is enough for everybody before."""
        if await self._once.known(CONFIRM, wanted, StepDone):
            return await self._once.known(_BEYOND, wanted, StockAnswer) or StockAnswer()
        needs, names = await self._needs(wanted)
        since = await self._reservations.tick(wanted.connection)
        left = await self._shops[wanted.connection].zoho.left_for_sale(tuple(needs))
        about = wanted.connection, wanted.payment_id
        found = await self._reservations.reserve(*about, needs, left=left, since=since, at=self._now())
        await self._sold_out.note(wanted, needs, short=found.verdict is not Verdict.ENOUGH)
        short = [item for item in left if left[item] < needs[item]] or list(left)
        said = tuple(f"{names[item]} ({needs[item]} wanted, {left[item].normalize():f} left)" for item in short)
        return StockAnswer(verdict=found.verdict, short=said, before=found.before[:5])

    @activity.defn
    async def sell_beyond_stock(self, wanted: StockInput) -> StockAnswer:
        """Reserve the goods although there is too little, so that others count them; kept in the audit trail."""
        if await self._once.known(CONFIRM, wanted, StepDone):
            return StockAnswer(beyond=True)
        needs, _ = await self._needs(wanted)
        await self._reservations.force(wanted.connection, wanted.payment_id, needs, at=self._now())
        await self._sold_out.forget(wanted.connection, wanted.payment_id)

        async def call() -> StockAnswer:
            return StockAnswer(short=wanted.short, beyond=True)

        return await self._once.repeat(_BEYOND, wanted, StockAnswer, call, note="sold beyond stock")

    @activity.defn
    async def release_stock(self, ref: PaymentRef) -> None:
        """The payment waits for a person: what it reserved for an order that is not confirmed is free."""
        await self._reservations.let_go(ref.connection, ref.payment_id)

    async def _needs(self, wanted: StockInput) -> tuple[dict[str, Decimal], dict[str, str]]:
        """Pieces by item id, and what people call the item."""
        draft = await self._dossier.order(wanted, wanted.order_ref)
        needs: dict[str, Decimal] = {}
        names: dict[str, str] = {}
        for item_id, line in zip(wanted.item_ids, draft.lines, strict=True):
            needs[item_id] = needs.get(item_id, Decimal(0)) + line.quantity
            names[item_id] = line.sku or item_id
        return needs, names
