"""What the numbers of the business need that Temporal does not have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clients.connections import Connection
    from clients.store import Store


@dataclass(frozen=True)
class CallsLeft:
    """A connection's calls of Zoho a day: how many its organisation allows, and how many are left."""

    limit: int
    remaining: int


class Figures:
    """By connection: Zoho's quota as all workers know it, and how long the audit trail is. TryLater without a store."""

    def __init__(self, store: Store, connections: Mapping[str, Connection]) -> None:
        self._store = store
        self._organizations = {slug: one.zoho.organization_id for slug, one in connections.items()}

    async def quotas(self) -> dict[str, CallsLeft]:
        """Of those organisations that have told it."""
        found = {slug: await self._store.budgets.read(name) for slug, name in self._organizations.items()}
        return {
            slug: CallsLeft(budget.day_limit, budget.day_left)
            for slug, budget in found.items()
            if budget and budget.day_limit is not None and budget.day_left is not None
        }

    async def audit_entries(self) -> dict[str, int]:
        """The number of entries."""
        return {slug: await self._store.audit.length(slug) for slug in self._organizations}
