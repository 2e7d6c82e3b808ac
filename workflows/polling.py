"""What every run has that reads something of a connection from time to time: its loop, its signal, its face."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from domain.policy import PaymentPolicy
    from domain.return_polls import PollInput
    from workflows import contract
    from workflows.calls import Calls


class Polling(ABC):
    """A run that reads, waits and reads again, until the shop no longer wants it. `reads` says what, in words."""

    def __init__(self, start: PollInput, reads: str, again: str) -> None:
        self._start = start
        self._reads = reads
        self._again = again
        self._now = False
        self._said = ""
        self._calls = Calls(start, self._show)

    @abstractmethod
    def _wanted(self) -> bool:
        """Whether the shop's policy wants it read."""

    @abstractmethod
    def _every(self) -> timedelta:
        """How long to wait before it is read again."""

    @abstractmethod
    async def _read(self) -> str:
        """Read it once; what came of that, in words. Where an activity fails, the next time reads the same."""

    @workflow.signal(name=contract.LOOK_NOW)
    def look_now(self, policy: PaymentPolicy | None = None) -> None:
        """Read now; by the policy of now, where a worker says it."""
        if policy is not None:
            self._start = self._start.model_copy(update={"policy": policy})
        self._now = True

    async def _read_on(self) -> None:
        """Read, wait, read again; in a fresh history where this one has grown."""
        while self._wanted():
            await self._read_once()
            self._start = self._start.model_copy(update={"polls": self._start.polls + 1})
            if workflow.info().is_continue_as_new_suggested():
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(self._start)
            seconds = self._every().total_seconds()
            with suppress(TimeoutError):
                await workflow.wait_condition(lambda: self._now, timeout=seconds, timeout_summary=self._again)
            self._now = False

    async def _read_once(self) -> None:
        try:
            said = await self._read()
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            said = f"could not be read: {error.cause}"
        self._said = f"{workflow.now():%Y-%m-%d %H:%M} UTC: {self._reads} {said}"
        self._show()

    def _show(self) -> None:
        waits = f"\n\n**{self._calls.waits}**" if self._calls.waits else ""
        workflow.set_current_details(self._said + waits)
