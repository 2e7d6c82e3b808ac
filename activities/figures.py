"""What the numbers of the business need that Temporal does not have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from domain.sweeps import Case, Heard, recalled

if TYPE_CHECKING:
    from clients.connections import Connection
    from clients.store import Store

_MOST = 1000


@dataclass(frozen=True)
class CallsLeft:
    """A connection's calls of Zoho a day: how many its organisation allows, how many are left, and how long before the
    day's end the pace of the last hour uses them up; 0 where it lasts.
    """

    limit: int
    remaining: int
    short_seconds: int = 0


class Figures:
    """By connection: Zoho's quota as all workers know it, and how long the audit trail is. TryLater without a store."""

    def __init__(self, store: Store, connections: Mapping[str, Connection]) -> None:
        self._store = store
        self._organizations = {slug: one.zoho.organization_id for slug, one in connections.items()}

    async def quotas(self, now: datetime) -> dict[str, CallsLeft]:
        """Of those organisations that have told it, as it stands `now`."""
        found = {slug: await self._store.budgets.read(name) for slug, name in self._organizations.items()}
        return {
            slug: CallsLeft(budget.day_limit, budget.day_left, int(budget.short(now).total_seconds()))
            for slug, budget in found.items()
            if budget and budget.day_limit is not None and budget.day_left is not None
        }

    async def audit_entries(self) -> dict[str, int]:
        """The number of entries."""
        return {slug: await self._store.audit.length(slug) for slug in self._organizations}

    async def outcomes(self, since: datetime) -> dict[str, dict[str, int]]:
        """How many events that came since then ended how, by outcome."""
        return {slug: await self._store.events.tally(slug, since) for slug in self._organizations}

    async def swept_until(self) -> dict[str, datetime]:
        """How far sweeps have come, of those connections that had one."""
        found = {slug: await self._store.links.get(slug, "sweep", "until") for slug in self._organizations}
        return {slug: datetime.fromisoformat(until) for slug, until in found.items() if until}

    async def acknowledged(self, since: datetime, until: datetime) -> dict[str, list[Heard]]:
        """Each payment, refund, dispute and payout of events that were given to a run in this time, once; of a thousand
        events of a connection at most.
        """
        taken = {slug: await self._store.events.taken(slug, since, until, limit=_MOST) for slug in self._organizations}
        found = {
            slug: [recalled(row.event_id, row.type, row.business_id, row.at) for row in rows]
            for slug, rows in taken.items()
        }
        return {
            slug: list({one.about: one for one in heard if one.case not in (Case.UNNAMED, Case.NOTHING)}.values())
            for slug, heard in found.items()
        }
