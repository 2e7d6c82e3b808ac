"""What we remember of a list of Zoho's: the state that each of its rows was in when its run was told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from domain.return_polls import KeptReturns, ReturnPage, ReturnRow
from domain.runs import StepDone

if TYPE_CHECKING:
    from clients.store import Links

_BEGUN = "begun"
_LEFT = "left"  # the state of a row that is none of ours, whatever becomes of it


class Listed:
    """The rows of one kind, with links as memory: `row` is a row's kind of link, `poll` the list's."""

    def __init__(self, links: Links, now: Callable[[], datetime], *, row: str, poll: str) -> None:
        self._links = links
        self._now = now
        self._row = row
        self._poll = poll

    async def compare(
        self, connection: str, rows: Sequence[ReturnRow], *, more: bool, since: date | None
    ) -> ReturnPage:
        """One page of the list, compared with what we remember. Of what was there before us only the rows of `since`
        or later count.
        """
        first = await self._links.get(connection, self._poll, _BEGUN) is None
        known = await self._links.get_many(connection, self._row, [row.return_id for row in rows])
        news = [row for row in rows if known.get(row.return_id) not in (row.state, _LEFT)]
        told = [row.return_id for row in news if (row.day >= since.isoformat() if since else not first)]
        kept = [row if row.return_id in told else row.model_copy(update={"state": _LEFT}) for row in news]
        return ReturnPage(rows=tuple(kept), told=tuple(told), known=len(rows) - len(news), more=more, first=first)

    async def keep(self, wanted: KeptReturns) -> StepDone:
        """Remember the rows: they are news again when their state changes."""
        for row in wanted.rows:
            await self._links.put(wanted.connection, self._row, row.return_id, row.state, at=self._now())
        if wanted.begun:
            await self._links.put(wanted.connection, self._poll, _BEGUN, self._now().isoformat(), at=self._now())
        return StepDone()
