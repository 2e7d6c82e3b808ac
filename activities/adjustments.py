"""What no document moves: gifts, and the parts of a set that Zoho knows only as an item without stock."""

from __future__ import annotations

from temporalio import activity

from activities.dossier import Dossier
from activities.effects import Once
from activities.memory import Memory
from activities.shops import Shops
from domain.adjustments import AdjustInput, AdjustmentsFound, AdjustmentsLook, AdjustmentWritten, SetsFound
from domain.runs import StepDone
from domain.sales import DocumentRef

_STEP = "adjust_stock"
_RESTORE = "restore_stock"


class AdjustmentActivities:
    """One Zoho call each."""

    def __init__(self, shops: Shops, dossier: Dossier, memory: Memory, once: Once) -> None:
        self._shops = shops
        self._dossier = dossier
        self._memory = memory
        self._once = once

    @activity.defn
    async def check_sets(self, wanted: AdjustInput) -> SetsFound:
        """Which sets Zoho moves by itself, and which parts it does not track: neither may be adjusted."""
        parts = {part.item_id: part.sku for part in wanted.parts}
        ids = tuple(dict.fromkeys((*wanted.sets, *parts)))
        known = {item.item_id: item for item in await self._shops[wanted.connection].zoho.stocks(ids)}
        moved = [known[one].sku or one for one in wanted.sets if one in known and known[one].moves_stock]
        still = [sku for item, sku in parts.items() if item not in known or not known[item].tracked]
        await self._memory.forget_items(wanted.connection, still)
        return SetsFound(moved=tuple(dict.fromkeys(moved)), untracked=tuple(still))

    @activity.defn
    async def adjust_stock(self, wanted: AdjustInput) -> AdjustmentWritten:
        """Take the parts out of stock, with the payment's id as reference."""
        draft = await self._dossier.order(wanted, wanted.order_ref)

        async def call() -> AdjustmentWritten:
            made, status = await self._shops[wanted.connection].zoho.adjust_stock(draft, wanted.parts)
            return AdjustmentWritten(adjustment_id=made, status=status)

        return await self._once.write(_STEP, wanted, AdjustmentWritten, call)

    @activity.defn
    async def find_adjustments(self, wanted: AdjustmentsLook) -> AdjustmentsFound:
        """The payment's adjustments: the one we remember, else by reference; closes what waits for a lost answer."""
        zoho = self._shops[wanted.connection].zoho
        made = await self._once.known(_STEP, wanted, AdjustmentWritten)
        if made:
            found = [made.adjustment_id] if await zoho.has_adjustment(made.adjustment_id) else []
        else:
            found = await zoho.find_adjustments(wanted.payment_id)
        if found:
            await self._once.adopt_begun(_STEP, wanted, AdjustmentWritten(adjustment_id=found[0]))
        for gone in set(wanted.deleted) - set(found):
            await self._once.adopt_begun(f"{_RESTORE}#{gone}", wanted, StepDone())
        return AdjustmentsFound(adjustment_ids=tuple(found))

    @activity.defn
    async def restore_stock(self, wanted: DocumentRef) -> StepDone:
        """Take an adjustment back: its pieces are in stock again."""

        async def call() -> StepDone:
            await self._shops[wanted.connection].zoho.delete_adjustment(wanted.document_id)
            return StepDone()

        return await self._once.write(f"{_RESTORE}#{wanted.document_id}", wanted, StepDone, call)
