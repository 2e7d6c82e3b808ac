"""Zoho's list of returns, read page by page; what is new in it is told to the return's run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from temporalio import activity

from activities.listed import Listed
from activities.shops import Shops
from domain.return_polls import KeptReturns, PageInput, ReturnPage, TellReturn
from domain.returns import ReturnEvent
from domain.runs import StepDone

if TYPE_CHECKING:
    from clients.store import Links


class ReturnStarter(Protocol):
    """Who can start a return's run."""

    async def return_event(self, connection: str, return_id: str, event: ReturnEvent, *, again: bool = False) -> object:
        """Signal-with-start of the return's run."""
        ...


class ReturnPollActivities:
    """One call each."""

    def __init__(self, shops: Shops, links: Links, starter: ReturnStarter, now: Callable[[], datetime]) -> None:
        self._shops = shops
        self._rows = Listed(links, now, row="return", poll="returns")
        self._starter = starter

    @activity.defn
    async def list_returns(self, wanted: PageInput) -> ReturnPage:
        """One page of Zoho's list, compared with what we remember."""
        shop = self._shops[wanted.connection]
        rows, more = await shop.zoho.returns.page(wanted.page)
        return await self._rows.compare(wanted.connection, rows, more=more, since=shop.policy.returns.since)

    @activity.defn
    async def tell_return(self, wanted: TellReturn) -> StepDone:
        """Start the return's run, or tell the open one that something happened."""
        await self._starter.return_event(wanted.connection, wanted.return_id, wanted.event, again=wanted.again)
        return StepDone()

    @activity.defn
    async def keep_returns(self, wanted: KeptReturns) -> StepDone:
        """Remember the rows: they are news again when their state changes."""
        return await self._rows.keep(wanted)
