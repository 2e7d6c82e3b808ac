"""The money of a payment whose order was cancelled in Zoho, and what still stands of its documents."""

from __future__ import annotations

from typing import Protocol

from temporalio import activity

from activities.effects import Once
from activities.given_back import MoneyBack, named
from activities.shops import Shops
from domain.given_back import GivenBack
from domain.order_polls import GiveAllBack, LeftMoney, OrderRef, StandingFound, StandingQuery
from domain.policy import ORDER_ID_KEY
from domain.refunds import RefundStatus
from domain.runs import StepDone


class AgainStarter(Protocol):
    """Who can have a payment carried once more."""

    async def carry_again(self, connection: str, payment_id: str) -> object:
        """Starts the payment's own run, although one has ended."""
        ...


class CancellationActivities:
    """A refund that is made here names the order in its metadata: by that it is found again."""

    def __init__(self, shops: Shops, once: Once, starter: AgainStarter) -> None:
        self._shops = shops
        self._money = MoneyBack(shops, once, "give_all_back")
        self._starter = starter

    @activity.defn
    async def fetch_left(self, wanted: OrderRef) -> LeftMoney:
        """What the payment brought, and what no refund that stands has given back."""
        captured, refunds = await self._shops[wanted.connection].stripe.refunds.refundable(wanted.payment_id)
        given = sum(one.money.minor for one in refunds if one.status is not RefundStatus.FAILED)
        left = captured.model_copy(update={"minor": captured.minor - given})
        ours = named(refunds, ORDER_ID_KEY, wanted.salesorder_id)
        return LeftMoney(captured=captured, left=left, attempt=len(ours))

    @activity.defn
    async def give_all_back(self, wanted: GiveAllBack) -> GivenBack:
        """The refund in Stripe, once for each attempt; `refused` where Stripe will not."""
        return await self._money.give(wanted, {ORDER_ID_KEY: wanted.salesorder_id}, within=wanted.change)

    @activity.defn
    async def find_all_given_back(self, wanted: GiveAllBack) -> GivenBack | None:
        """The refund of this attempt, by its metadata, where the answer was lost; None where there is none."""
        return await self._money.find(wanted, ORDER_ID_KEY, wanted.salesorder_id)

    @activity.defn
    async def find_standing(self, wanted: StandingQuery) -> StandingFound:
        """The documents of one list that name the payment and are not void."""
        found = await self._shops[wanted.connection].zoho.lists.standing(wanted.list, wanted.payment_id)
        return StandingFound(document_ids=tuple(found))

    @activity.defn
    async def carry_anew(self, wanted: OrderRef) -> StepDone:
        """Have the payment carried anew, now that nothing of it stands."""
        await self._starter.carry_again(wanted.connection, wanted.payment_id)
        return StepDone()
