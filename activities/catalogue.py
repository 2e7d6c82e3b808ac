"""What the organisation is and trades in: asked of Zoho once, then remembered."""

from __future__ import annotations

from temporalio import activity

from activities.memory import Memory
from activities.shops import Shops
from domain.plans import LookUpInput


class CatalogueActivities:
    """Each asks Zoho one question and keeps the answer in our memory."""

    def __init__(self, shops: Shops, memory: Memory) -> None:
        self._shops = shops
        self._memory = memory

    @activity.defn
    async def describe_organization(self, wanted: LookUpInput) -> None:
        """Remember the organisation's time zone and own currency."""
        found = await self._shops[wanted.connection].zoho.organization()
        await self._memory.keep_organization(wanted.connection, found)

    @activity.defn
    async def list_currencies(self, wanted: LookUpInput) -> None:
        """Remember the currencies with their exchange rates of today."""
        found = await self._shops[wanted.connection].zoho.currencies()
        await self._memory.keep_currencies(wanted.connection, found)

    @activity.defn
    async def list_taxes(self, wanted: LookUpInput) -> None:
        """Remember the taxes and their percentages."""
        found = await self._shops[wanted.connection].zoho.taxes()
        await self._memory.keep_taxes(wanted.connection, found)

    @activity.defn
    async def find_item(self, wanted: LookUpInput) -> None:
        """Remember the active item with the SKU, where there is exactly one."""
        sku = wanted.lookup.key
        found = [item for item in await self._shops[wanted.connection].zoho.items(sku) if item.active]
        if len(found) == 1:
            await self._memory.keep_item(wanted.connection, sku, found[0].item_id)
