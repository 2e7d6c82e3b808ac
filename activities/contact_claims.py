"""The right to create a payer's contact: one run at a time has it, for as long as the shop's policy says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.contact_book import ContactBook
from activities.shops import Shops
from domain.orders import OrderDraft

if TYPE_CHECKING:
    from clients.store import Effects

_STEP = "claim_contact"


class ContactClaims:
    """Claims are effects that are withdrawn instead of completed: a run that died loses its claim by the lease."""

    def __init__(self, effects: Effects, book: ContactBook, shops: Shops, now: Callable[[], datetime]) -> None:
        self._effects = effects
        self._book = book
        self._shops = shops
        self._now = now

    async def take(self, connection: str, draft: OrderDraft) -> None:
        """Claim for the run whose activity this is; ContactBeingMade, to be tried again, where another has it."""
        lease = self._shops[connection].policy.contact_lease
        key = self._book.key(draft)
        effect = await self._effects.begin(connection, _STEP, key, owner=_owner(), at=self._now(), lease=lease)
        if effect.state == "held":
            raise ApplicationError(
                "another payment of the same payer is creating the contact",
                type="ContactBeingMade",
                category=ApplicationErrorCategory.BENIGN,
            )

    async def give_back(self, connection: str, draft: OrderDraft) -> None:
        """Let another run have it; nothing where this run has no claim."""
        await self._effects.withdraw(connection, _STEP, self._book.key(draft), owner=_owner())


def _owner() -> str:
    return activity.info().workflow_id or ""
