"""What we remember of contacts and items, when people change those in Zoho: what holds no longer is forgotten."""

from __future__ import annotations

from datetime import datetime

from temporalio import activity

from activities.contact_book import ContactBook
from activities.memory import Memory
from activities.shops import Shops
from domain.order_polls import ListedOrders, ListQuery, changed_since, reaches_back


class RefreshActivities:
    """One page of a list each. What was forgotten the next payment asks Zoho for."""

    def __init__(self, shops: Shops, book: ContactBook, memory: Memory) -> None:
        self._shops = shops
        self._book = book
        self._memory = memory

    @activity.defn
    async def refresh_contacts(self, wanted: ListQuery) -> ListedOrders:
        """One page of changed contacts: one that is its payer's no longer is forgotten."""
        lists = self._shops[wanted.connection].zoho.lists
        rows, more = await lists.contacts(wanted.page, self._asked(wanted))
        await self._book.refresh(wanted.connection, changed_since(rows, wanted.since))
        return ListedOrders(rows=len(rows), more=more and not reaches_back(rows, wanted.since))

    @activity.defn
    async def refresh_items(self, wanted: ListQuery) -> ListedOrders:
        """One page of changed items: one that has its SKU no longer, or is inactive, is forgotten."""
        lists = self._shops[wanted.connection].zoho.lists
        rows, more = await lists.items(wanted.page, self._asked(wanted))
        await self._memory.refresh_items(wanted.connection, changed_since(rows, wanted.since))
        return ListedOrders(rows=len(rows), more=more and not reaches_back(rows, wanted.since))

    def _asked(self, wanted: ListQuery) -> datetime | None:
        """What the list is asked for; whoever reads it looks at the rows."""
        return wanted.since if self._shops[wanted.connection].policy.by_hand.by_modified else None
