"""What the numbers of the business need that Temporal does not have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from activities.shops import Shops

if TYPE_CHECKING:
    from clients.store import Store


@dataclass(frozen=True)
class CallsLeft:
    """A connection's calls of Zoho a day: how many it may make, and how many are left."""

    limit: int
    remaining: int


class Figures:
    """By connection: Zoho's quota as its last answer told this worker, and how long the audit trail is."""

    def __init__(self, shops: Shops, store: Store, slugs: Iterable[str]) -> None:
        self._shops = shops
        self._store = store
        self._slugs = tuple(slugs)

    async def quotas(self) -> dict[str, CallsLeft]:
        """Of those that this worker has called."""
        seen = {slug: self._shops[slug].zoho.quota for slug in self._slugs}
        return {slug: CallsLeft(quota.limit, quota.remaining) for slug, quota in seen.items() if quota}

    async def audit_entries(self) -> dict[str, int]:
        """The number of entries. TryLater."""
        return {slug: await self._store.audit.length(slug) for slug in self._slugs}
