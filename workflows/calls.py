"""How a payment's run calls its activities: which queue, which pace, and how a write with a lost answer is settled."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from typing import Any, Protocol, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from domain.runs import PaymentInput
    from workflows import policies


class Answered(Protocol):
    """What a guarded write answers."""

    @property
    def unknown(self) -> bool: ...
    @property
    def asked(self) -> int: ...


Self_ = TypeVar("Self_")
Input = TypeVar("Input")
Output = TypeVar("Output")
Written = TypeVar("Written", bound=Answered)
Method = Callable[[Self_, Input], Coroutine[Any, Any, Output]]


class Calls:
    """The activities of one run, by kind: own memory, Stripe and the store, or Zoho at its organisation's pace."""

    def __init__(self, start: PaymentInput, show: Callable[[], None]) -> None:
        self.waits = ""  # what the run waits for by itself, in words; `show` tells people
        self._show = show
        self.policy = start.policy
        self._queue = start.zoho_queue
        self._organization = start.organization_id

    async def local(self, method: Method[Self_, Input, Output], arg: Input, summary: str) -> Output:
        """Ask our own store in the worker itself; a normal activity takes over where the store is away."""
        config = policies.LOCAL | workflow.LocalActivityConfig(summary=summary)
        try:
            return await workflow.execute_local_activity_method(method, arg, **config)
        except (ActivityError, ApplicationError) as error:
            # A failed local activity is raised bare where a normal one is wrapped.
            cause = error.cause if isinstance(error, ActivityError) else error
            if isinstance(cause, ApplicationError) and cause.non_retryable:
                raise
            return await self.read(method, arg, summary)

    async def read(self, method: Method[Self_, Input, Output], arg: Input, summary: str) -> Output:
        """A question to Stripe or the store."""
        return await self._call(method, arg, policies.READ(self.policy), summary)

    async def write(self, method: Method[Self_, Input, Output], arg: Input, summary: str) -> Output:
        """A write to Stripe, or a message to people."""
        return await self._call(method, arg, policies.WRITE(self.policy), summary)

    async def tell(self, method: Method[Self_, Input, Output], arg: Input, summary: str) -> Output | None:
        """A message to people: tried some times, and never a reason to hold a payment up. None where it failed."""
        try:
            return await self._call(method, arg, policies.TELL(self.policy), summary)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            workflow.logger.warning("people could not be told: %s", summary)
            return None

    async def wait(self, method: Method[Self_, Input, Output], arg: Input, summary: str) -> Output:
        """A question whose answer another run is about to give."""
        return await self._call(method, arg, policies.WAIT(self.policy), summary)

    async def zoho_read(self, method: Method[Self_, Input, Output], arg: Input, summary: str) -> Output:
        """One question to Zoho."""
        return await self._at_zoho(method, arg, policies.READ(self.policy), summary)

    async def zoho_write(self, method: Method[Self_, Input, Output], arg: Input, summary: str) -> Output:
        """One write to Zoho."""
        return await self._at_zoho(method, arg, policies.WRITE(self.policy), summary)

    async def zoho_undo(self, method: Method[Self_, Input, Output], arg: Input, summary: str) -> Output:
        """One write to Zoho that takes another back."""
        return await self._at_zoho(method, arg, policies.UNDO(self.policy), summary)

    async def settle(
        self,
        write: Callable[[int], Awaitable[Written]],
        look: Callable[[], Awaitable[Written | None]],
        what: str,
    ) -> Written:
        """Write once. Where the answer was lost: look, wait as long as a slow write may take, look again, only then
        write anew. `after` lets one more try through, so a repeated activity never writes a second time unseen.
        """
        after = 0
        while True:
            written = await write(after)
            if not written.unknown:
                return written
            found = await self.look_twice(look, what)
            if found is not None:
                return found
            after = written.asked

    async def look_twice(self, look: Callable[[], Awaitable[Output | None]], what: str) -> Output | None:
        """Look now, and again when a slow write, or a list that lags, must show."""
        found = await look()
        if found is None:
            await workflow.sleep(self.policy.settle_wait, summary=f"Wait whether the {what} shows up after all")
            found = await look()
        return found

    async def _call(
        self,
        method: Method[Self_, Input, Output],
        arg: Input,
        config: workflow.ActivityConfig,
        summary: str,
    ) -> Output:
        named = config | workflow.ActivityConfig(summary=summary)
        return await workflow.execute_activity_method(method, arg, **named)

    async def _at_zoho(
        self,
        method: Method[Self_, Input, Output],
        arg: Input,
        config: workflow.ActivityConfig,
        summary: str,
    ) -> Output:
        """One call at the organisation's pace; where its day is used up, again when the next one begins."""
        paced = policies.zoho(config, self._queue, self._organization)
        while True:
            try:
                return await self._call(method, arg, paced, summary)
            except ActivityError as error:
                gone = _quota_gone(error)
                if gone is None:
                    raise
            await self._wait_for_quota(gone)

    async def _wait_for_quota(self, gone: dict[str, str]) -> None:
        seconds = (datetime.fromisoformat(gone["until"]) - workflow.now()).total_seconds()
        self.waits = f"waits until {gone['when']}: {gone['said']}"
        self._show()
        try:
            await workflow.sleep(max(seconds, 1.0), summary=f"Wait until {gone['when']}: {gone['said']}")
        finally:
            self.waits = ""
            self._show()


def _quota_gone(error: ActivityError) -> dict[str, str] | None:
    """Until when there is no quota, in the words of the failure; None for any other failure."""
    cause = error.cause
    if not isinstance(cause, ApplicationError) or cause.type != "QuotaGone":
        return None
    return dict(cause.details[0])
