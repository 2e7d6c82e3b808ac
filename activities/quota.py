"""Looks after the day's quota of Zoho without asking Zoho, and warns people before it ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from temporalio import activity

from activities.memory import Memory
from activities.shops import Shops
from domain.policy import QUOTA
from domain.sweeps import SweepRef

if TYPE_CHECKING:
    from clients.store import Budgets


class QuotaActivities:
    """Reads what Zoho's answers told all workers."""

    def __init__(self, shops: Shops, budgets: Budgets, memory: Memory, now: Callable[[], datetime]) -> None:
        self._shops = shops
        self._budgets = budgets
        self._memory = memory
        self._now = now

    @activity.defn
    async def watch_quota(self, wanted: SweepRef) -> None:
        """Warn people of a day whose quota will not last, once a day. TryLater where nobody took it."""
        shop = self._shops[wanted.connection]
        budget = await self._budgets.read(shop.zoho.organization_id)
        found = budget.warning(self._now()) if budget and QUOTA not in shop.policy.quiet else None
        if found is None or await self._memory.warned_of(wanted.connection) == found[0]:
            return
        day_ends, said = found
        await shop.notifier.send("Zoho's quota", f"{wanted.connection}: {said}. See: throughline quota")
        await self._memory.keep_warned(wanted.connection, day_ends)
