"""Inventory adjustments that propose a refund: read in Zoho, their order found; the list of them, page by page."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from temporalio import activity

from activities.listed import Listed
from activities.shops import Shops
from domain.numbers import order_number
from domain.proposals import OrderFound, OrderNamed, ProposalQuery, ProposalSeen
from domain.return_polls import KeptReturns, PageInput, ReturnPage, ReturnRow, TellReturn
from domain.returns import ReturnEvent
from domain.runs import StepDone

if TYPE_CHECKING:
    from clients.store import Links

_ZOHO_ID = re.compile(r"\d{15,}")


class ProposalStarter(Protocol):
    """Who can start an adjustment's run."""

    async def adjustment_event(
        self, connection: str, adjustment_id: str, event: ReturnEvent, *, again: bool = False
    ) -> object:
        """Signal-with-start of the adjustment's run."""
        ...


class ProposalActivities:
    """One call each."""

    def __init__(self, shops: Shops, links: Links, starter: ProposalStarter, now: Callable[[], datetime]) -> None:
        self._shops = shops
        self._rows = Listed(links, now, row="adjustment", poll="adjustments")
        self._starter = starter

    @activity.defn
    async def read_proposal(self, wanted: ProposalQuery) -> ProposalSeen:
        """The adjustment as it stands in Zoho."""
        return await self._shops[wanted.connection].zoho.proposals.read(wanted.return_id, wanted.field)

    @activity.defn
    async def find_named_order(self, wanted: OrderNamed) -> OrderFound:
        """The order that a person named: by Zoho's id, by its payment, else by its number."""
        zoho, named = self._shops[wanted.connection].zoho, wanted.named.strip()
        if _ZOHO_ID.fullmatch(named):
            return OrderFound(salesorder_id=await zoho.proposals.order(named))
        found = await zoho.find_sales_order(_number(named))
        return OrderFound(salesorder_id=found.salesorder_id if found else "")

    @activity.defn
    async def list_proposals(self, wanted: PageInput) -> ReturnPage:
        """One page of Zoho's list of adjustments, compared with what we remember; only what may be meant is told."""
        shop = self._shops[wanted.connection]
        policy = shop.policy.returns
        found, more = await shop.zoho.proposals.page(wanted.page)
        rows = [ReturnRow(return_id=row.adjustment_id, day=row.day, state=row.state) for row in found]
        page = await self._rows.compare(wanted.connection, rows, more=more, since=policy.since)
        meant = {row.adjustment_id for row in found if row.may_be_meant(policy)}
        return page.model_copy(update={"told": tuple(one for one in page.told if one in meant)})

    @activity.defn
    async def tell_proposal(self, wanted: TellReturn) -> StepDone:
        """Start the adjustment's run, or tell the open one that something happened."""
        await self._starter.adjustment_event(wanted.connection, wanted.return_id, wanted.event, again=wanted.again)
        return StepDone()

    @activity.defn
    async def keep_proposals(self, wanted: KeptReturns) -> StepDone:
        """Remember the rows: they are news again when their state changes."""
        return await self._rows.keep(wanted)


def _number(named: str) -> str:
    """The order's number: of a payment's id the one that its order has, else what was typed."""
    try:
        return order_number(named)
    except ValueError:
        return named
