"""Orders that wait because their goods are sold out, and goods that are there again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from temporalio import activity

from activities.shops import Shops
from domain.order_polls import PollQuery, Restocked
from domain.runs import PaymentRef, StepDone
from domain.stock import served

if TYPE_CHECKING:
    from clients.store import Links

_KIND = "sold-out"
_AT_ONCE = 50  # orders that one look is for: their items have to fit into one question


class SoldOutStarter(Protocol):
    """Who knows whether a payment waits for goods, and can have it go on."""

    async def waits_for_goods(self, connection: str, payment_id: str) -> bool:
        """Whether the payment's run waits for a person because its goods are sold out."""
        ...

    async def goods_are_there(self, connection: str, payment_id: str) -> object:
        """Has such a run look again."""
        ...


class SoldOut:
    """What our memory knows of orders that found too little, with what they want."""

    def __init__(self, links: Links, now: Callable[[], datetime]) -> None:
        self._links = links
        self._now = now

    async def note(self, ref: PaymentRef, needs: Mapping[str, Decimal], *, short: bool) -> None:
        """The payment looked for its goods, pieces by item id, and found enough or too little."""
        if not short:
            return await self.forget(ref.connection, ref.payment_id)
        said = json.dumps({item: str(pieces) for item, pieces in needs.items()})
        await self._links.put(ref.connection, _KIND, ref.payment_id, said, at=self._now())

    async def forget(self, connection: str, payment_id: str) -> None:
        """The payment has its goods, or wants none any more."""
        await self._links.forget(connection, _KIND, payment_id)

    async def waiting(self, connection: str, since: datetime, count: int = _AT_ONCE) -> dict[str, dict[str, Decimal]]:
        """What each payment wants, those first that have waited longest."""
        rows = await self._links.stalest(connection, _KIND, marks=_KIND, since=since, count=count)
        return {of: {item: Decimal(pieces) for item, pieces in json.loads(said).items()} for of, said in rows}


class RestockActivities:
    """One look at Zoho for all that wait, and none where nobody does."""

    def __init__(self, shops: Shops, sold_out: SoldOut, starter: SoldOutStarter, now: Callable[[], datetime]) -> None:
        self._shops = shops
        self._sold_out = sold_out
        self._starter = starter
        self._now = now

    @activity.defn
    async def see_restocked(self, wanted: PollQuery) -> Restocked:
        """The payments whose goods Zoho has again, as far as they go round."""
        shop = self._shops[wanted.connection]
        since = self._now() - shop.policy.by_hand.check_for
        waiting = await self._sold_out.waiting(wanted.connection, since)
        for payment_id in list(waiting):
            if not await self._starter.waits_for_goods(wanted.connection, payment_id):
                await self._sold_out.forget(wanted.connection, payment_id)
                del waiting[payment_id]
        if not waiting:
            return Restocked()
        items = sorted({item for needs in waiting.values() for item in needs})
        left = await shop.zoho.left_for_sale(items)
        return Restocked(payment_ids=tuple(served(waiting, left)))

    @activity.defn
    async def tell_restocked(self, wanted: PaymentRef) -> StepDone:
        """Have the payment's run look again."""
        await self._starter.goods_are_there(wanted.connection, wanted.payment_id)
        return StepDone()
