"""The two runs of a connection that read Zoho's lists of returns and of adjustments from time to time."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.proposals import ProposalActivities
    from activities.return_polls import ReturnPollActivities
    from domain.return_polls import KeptReturns, PageInput, PollInput, ReturnPage, TellReturn
    from domain.returns import ReturnEvent
    from domain.runs import StepDone
    from workflows import contract
    from workflows.polling import Polling

# The newest pages tell what is new; all of them are read again this seldom, for rows move while pages are read.
_WHOLE_LIST_EVERY = 24


@dataclass(frozen=True)
class Listed:
    """What is listed: `name` is a row in words, the rest are activities: a page, a row to be told, rows to be kept."""

    name: str
    page: Callable[[Any, PageInput], Coroutine[Any, Any, ReturnPage]]
    tell: Callable[[Any, TellReturn], Coroutine[Any, Any, StepDone]]
    keep: Callable[[Any, KeptReturns], Coroutine[Any, Any, StepDone]]


_RETURNS = Listed(
    "return",
    ReturnPollActivities.list_returns,
    ReturnPollActivities.tell_return,
    ReturnPollActivities.keep_returns,
)
_ADJUSTMENTS = Listed(
    "adjustment",
    ProposalActivities.list_proposals,
    ProposalActivities.tell_proposal,
    ProposalActivities.keep_proposals,
)


class CasePolling(Polling):
    """Reads a list and tells each row's run that is new or whose row has changed."""

    def __init__(self, start: PollInput, listed: Listed) -> None:
        super().__init__(start, f"Zoho's list of {listed.name}s", f"Read the {listed.name}s again")
        self._listed = listed

    def _every(self) -> timedelta:
        return self._start.policy.returns.poll_every or timedelta(0)

    async def _read(self) -> str:
        """The newest pages until one that has no news; all of them the first time, and when it is time to."""
        if workflow.patched(contract.POLL_SERVES):
            self._now = False  # whoever asked until now is served by this poll
        whole = self._start.polls % _WHOLE_LIST_EVERY == 0
        page, more, first = 1, True, False
        while more:
            found = await self._page(page)
            page, first = page + 1, found.first
            more = found.more and (whole or first or bool(found.rows))
        if first:
            done = KeptReturns(connection=self._start.connection, begun=True)
            await self._calls.write(self._listed.keep, done, f"Remember that all {self._listed.name}s were seen")
        return f"read {page - 1} of its pages"

    async def _page(self, page: int) -> ReturnPage:
        wanted = PageInput(connection=self._start.connection, page=page)
        found = await self._calls.zoho_read(self._listed.page, wanted, f"Read page {page} of the {self._listed.name}s")
        for return_id in found.told:
            await self._tell(return_id)
        kept = KeptReturns(connection=self._start.connection, rows=found.rows)
        if found.rows:
            await self._calls.write(self._listed.keep, kept, f"Remember these {self._listed.name}s")
        return found

    async def _tell(self, return_id: str) -> None:
        event = ReturnEvent(source="poll")
        wanted = TellReturn(connection=self._start.connection, return_id=return_id, event=event)
        await self._calls.write(self._listed.tell, wanted, f"Tell the run of {self._listed.name} {return_id}")


@workflow.defn(name=contract.RETURN_POLL_WORKFLOW)
class ReturnPollWorkflow(CasePolling):
    """Tells each return's run that is new or whose row has changed."""

    @workflow.init
    def __init__(self, start: PollInput) -> None:
        super().__init__(start, _RETURNS)

    @workflow.run
    async def run(self, start: PollInput) -> None:
        """Until the shop wants returns no more."""
        await self._read_on()

    def _wanted(self) -> bool:
        return self._start.policy.returns.polls


@workflow.defn(name=contract.ADJUSTMENT_POLL_WORKFLOW)
class AdjustmentPollWorkflow(CasePolling):
    """Tells each adjustment's run that is new, or whose row has changed, and may propose a refund."""

    @workflow.init
    def __init__(self, start: PollInput) -> None:
        super().__init__(start, _ADJUSTMENTS)

    @workflow.run
    async def run(self, start: PollInput) -> None:
        """Until the shop wants none of them any more."""
        await self._read_on()

    def _wanted(self) -> bool:
        return self._start.policy.returns.polls_adjustments
