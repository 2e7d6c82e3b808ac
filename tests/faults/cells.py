"""One payment of one kind, with faults at some of its calls, and whether the books came out right all the same."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from temporalio.client import (
    RPCTimeoutOrCancelledError,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
)
from temporalio.service import RPCError

from cli.ledger_check import check
from domain.attention import Trouble
from tests.endtoend.outcomes import everything_told
from tests.endtoend.shops import Shop
from tests.faults import books
from tests.faults.books import Story
from tests.faults.calls import Call, calls_since, mark
from tests.faults.faults import Fault, Scene
from tests.faults.kinds import Kind
from workflows import contract

CLOSES_WITHIN = 120.0  # seconds (I8): a minute, and one more because two dozen payments share the machine
_OFTEN, _SELDOM = 0.3, 2.0  # seconds between two looks whether a run waits for a person
_ASIDE = ("answer#", "tell_attention#", "tell_resolved#")  # entries of the audit trail that only a parked run has
_ID = re.compile(r"[#@~]")  # what comes before the id of a document or refund in the name of a step
_BACK = (WorkflowExecutionStatus.FAILED, WorkflowExecutionStatus.CANCELED)


@dataclass(frozen=True)
class Cell:
    """A kind of payment and what goes wrong at which of its calls."""

    kind: Kind
    faults: tuple[tuple[Call, Fault], ...]

    def __str__(self) -> str:
        return f"{self.kind.name}: " + " and ".join(f"{call} {fault.name}" for call, fault in self.faults)

    @property
    def answer(self) -> str:
        """What a person says to a run that parks."""
        return "abort" if any(fault.answer == "abort" for _, fault in self.faults) else "retry"

    @property
    def looks(self) -> float:
        """How often to look whether a run has parked, in seconds."""
        asks = self.kind.asks or any(fault.name in ("refused", "aborted") for _, fault in self.faults)
        return _OFTEN if asks else _SELDOM

    @property
    def keeps_trail(self) -> bool:
        """Whether our store, and with it the audit trail, is still there afterwards."""
        return all(fault.keeps_store for _, fault in self.faults)

    @property
    def may_end_back(self) -> bool:
        """Whether it is no violation that everything was taken back."""
        return self.kind.tale.back or any(fault.back for _, fault in self.faults)


@dataclass
class Lane:
    """A shop in which one payment of a kind is tried after the other, and what is known of those before."""

    shop: Shop
    kind: Kind
    paid: int = 0
    back: set[str] = field(default_factory=set)
    audited: int = 0
    broken: bool = False
    last: str = ""
    before: str = ""  # the run that has closed already under the id of the one that is waited for
    apart: set[str] = field(default_factory=set)  # payments whose documents people have changed
    given_up: str = ""  # the payment of which a person gave up what was to start the run
    stood: Any = None  # the books of a payment that is corrected, or paid out, before that

    async def open(self) -> None:
        """A payment of the kind before the first that counts, unless the first one is what counts."""
        if not self.kind.first:
            await self.undisturbed()

    async def undisturbed(self) -> Story:
        """One payment with which nothing goes wrong."""
        async with self.acting() as act:
            begun, payment = await act()
            self.last = payment
            await self.close(payment, "retry", _OFTEN if self.kind.asks else _SELDOM)
        calls = calls_since(self.shop, begun)
        wrong, status = await self.judged(payment, None)
        assert (wrong, status in _BACK) == ([], self.kind.tale.back), (self.kind.name, wrong, status)
        stripe, zoho = await self._ledgers()
        who = self._people(zoho, payment)
        return Story(calls, books.books(stripe, zoho, payment), await self._steps(), self.stood, who)

    @asynccontextmanager
    async def acting(self) -> AsyncIterator[Any]:
        """The kind's next payment, prepared; what is yielded lets its calls be made: when they began, and its id."""
        number, self.paid = self.paid, self.paid + 1
        prepared = await self.kind.prepare(self.shop, number)
        self.before = await self.kind.ended(self.shop, prepared)
        if self.kind.tale.by_hand:
            self.apart.add(prepared)
        if self.kind.tale.about in ("books", "payout"):
            self.stood = books.books(*await self._ledgers(), prepared)
        async with AsyncExitStack() as errands:

            async def act() -> tuple[float, str]:
                begun, payment = mark(), await self.kind.begin(self.shop, number, prepared)
                if self.kind.tale.meanwhile:
                    await errands.enter_async_context(_meanwhile(self.kind.tale.meanwhile(self.shop, payment)))
                return begun, payment

            yield act

    async def suffer(self, cell: Cell, story: Story) -> list[str]:
        """What is wrong after the cell's faults, none where everything holds."""
        try:
            return await self._suffer(cell, story)
        except TimeoutError:
            self.broken = True
            return ["I8 the payment did not come to where the cell begins"]

    async def _suffer(self, cell: Cell, story: Story) -> list[str]:
        async with self.acting() as act, AsyncExitStack() as armed:
            scene = Scene(self.shop, self.kind)
            waiting = []
            for call, fault in cell.faults:
                assert fault.arm is not None
                waiting.append(await armed.enter_async_context(fault.arm(scene, call)))
            begun, payment = await act()
            scene.payment.set_result(payment)
            wrong = await self.ended(cell, story, payment, begun)
        await self._disarm()
        # The second of two may never come to its call; the first one always does.
        return wrong if waiting[0].happened else ["the fault did not happen", *wrong]

    async def _disarm(self) -> None:
        """A second fault may still wait for a call that never came."""
        for url in (self.shop.stripe_url, self.shop.zoho_url):
            await self.shop.http.delete(f"{url}/_faults")

    async def ended(self, cell: Cell, story: Story, payment: str, begun: float) -> list[str]:
        """What is wrong with the payment, whose calls have `begun`, once every run of the shop has closed."""
        try:
            await self.close(payment, cell.answer, cell.looks)
        except TimeoutError:
            self.broken = True
            return [f"I8 {payment}: not closed within {CLOSES_WITHIN:.0f} s"]
        wrong, status = await self.judged(payment, story, trail=cell.keeps_trail)
        if (status in _BACK and not cell.may_end_back) or (status not in _BACK and self.kind.tale.back):
            wrong.append(f"the run ended as {status.name.lower()}")
        if status not in (*_BACK, WorkflowExecutionStatus.COMPLETED):
            wrong.append(f"I5 {payment}: its run is {status.name.lower()}")
        await self._steps()
        return wrong + _too_many(cell, story, calls_since(self.shop, begun))

    async def close(self, payment: str, answer: str, looks: float) -> None:
        """Returns when every run of the shop has closed; a person answers those that park. TimeoutError: I8."""
        async with asyncio.timeout(CLOSES_WITHIN):
            while True:
                async with asyncio.TaskGroup() as group:
                    ending = group.create_task(self._closed(payment))
                    while not (await asyncio.wait([ending], timeout=looks))[0]:
                        await self._answer(payment, answer)
                await everything_told(self.shop)
                if not await self._open_runs():
                    return
                await self._answer(payment, answer)  # a run that the kind's run has begun may ask as well
                await asyncio.sleep(_OFTEN)

    async def _closed(self, payment: str) -> None:
        while self.given_up != payment:
            try:
                if (await (await self.kind.run(self.shop, payment)).describe()).run_id == self.before:
                    await asyncio.sleep(0.05)  # an event is yet to start another one
                    continue
                await (await self.kind.run(self.shop, payment)).result()
            except WorkflowFailureError:
                return
            except RPCError:
                await asyncio.sleep(0.05)
            else:
                return

    async def attend(self, payment: str, answer: str, enough: asyncio.Event) -> None:
        """A person who answers whatever is asked, until it is enough. No cancellation: an answer under way eats it."""
        while not enough.is_set():
            await self._answer(payment, answer)
            await asyncio.sleep(_OFTEN)

    async def _answer(self, payment: str, answer: str) -> None:
        """What a person says to the run, where it asks; everything that Stripe has to tell is told by then."""
        # It may have gone on by itself meanwhile.
        with suppress(RPCError, RPCTimeoutOrCancelledError, WorkflowUpdateFailedError, TimeoutError):
            run = await self._asks()
            if run is None:
                return
            await everything_told(self.shop)
            found = await run.query(contract.TROUBLE)
            if found is None:
                return
            trouble = Trouble.model_validate(found)
            cured = await self.kind.tale.deed(self.shop, trouble) if self.kind.tale.deed else ""
            offered = cured or (answer if answer in trouble.actions() else "retry")
            offered = "approve" if trouble.approvable else offered
            said = {"action": offered, "by": "test", "reason": "wrong shop" if offered == "abort" else ""}
            await run.execute_update(contract.RESOLVE, said)
            if offered == "abort" and run.id != (await self.kind.run(self.shop, payment)).id:
                self.given_up = payment

    async def _asks(self) -> WorkflowHandle[Any, Any] | None:
        """The run of the shop that waits for a person: the kind's, or one that is to start it."""
        asks = f"{contract.CONNECTION.name} = '{self.shop.slug}' AND {contract.NEEDS_ATTENTION.name} = true"
        async for run in self.shop.client.list_workflows(f"{asks} AND ExecutionStatus = 'Running'"):
            return self.shop.client.get_workflow_handle(run.id)
        return None

    async def _ended_as(self, payment: str) -> WorkflowExecutionStatus:
        """How the kind's run ended; as failed, where a person gave up what was to start it, and nothing else did."""
        try:
            found = await (await self.kind.run(self.shop, payment)).describe()
        except RPCError:
            found = None
        if self.given_up == payment and (found is None or found.run_id == self.before):
            return WorkflowExecutionStatus.FAILED
        assert found is not None
        assert found.status is not None
        return found.status

    async def _open_runs(self) -> int:
        query = f"{contract.CONNECTION.name} = '{self.shop.slug}' AND ExecutionStatus = 'Running'"
        return (await self.shop.client.count_workflows(query)).count

    async def judged(
        self, payment: str, story: Story | None, *, trail: bool = True
    ) -> tuple[list[str], WorkflowExecutionStatus]:
        """Every invariant that does not hold in the shop now, read from the ledgers, and how the run ended."""
        status = await self._ended_as(payment)
        if status in _BACK:
            self.back.add(payment)
        stripe, zoho = await self._ledgers()
        kept, told = self._kept(stripe), books.recounted(zoho, self.apart)
        wrong = [str(one) for one in check(kept, told, taken_back=self.apart, by_hand=books.came_back(zoho))]
        wrong += [f"I6 {line}" for line in books.doubled_people(zoho)]
        report = await self.shop.store.audit.verify(self.shop.slug)
        if not report.ok:
            wrong.append(f"I10 {report.reason}")
        steps = await self._steps(keep=False) if trail else None
        return wrong + self._compared(stripe, zoho, payment, story, steps, back=status in _BACK), status

    def _kept(self, stripe: Any) -> Any:
        """What of Stripe's ledger has to stand in Zoho's."""
        return books.without(stripe, self.back, self.kind.tale.about)

    def _compared(
        self, stripe: Any, zoho: Any, payment: str, story: Story | None, steps: Sequence[str] | None, *, back: bool
    ) -> list[str]:
        """In what the payment's books and trail differ from what they should be."""
        now = books.books(stripe, zoho, payment)
        half = back or steps is None or self.given_up == payment
        if self.kind.tale.about == "books" and half:
            # What was corrected before a run was given up stands; a store that is lost cannot tell what was written.
            return books.half_way(story, now, steps) if story else []
        if not back:
            return books.different(story, now, self._people(zoho, payment), steps) if story else []
        gone = self.kind.tale.about != "return" or books.refunded(stripe, payment)
        wrong = books.left(stripe, zoho, payment, steps, self.kind.own) if gone else []
        return wrong + (books.different(story, now, None, None) if story and self.kind.tale.back else [])

    def _people(self, zoho: Any, payment: str) -> Any:
        """Those whom a correction may be about."""
        return books.people(zoho, payment) if self.kind.tale.about == "books" else None

    async def _ledgers(self) -> tuple[Any, Any]:
        return await self.shop.stripe(only=books.STRIPE), await self.shop.books(only=books.ZOHO)

    async def _steps(self, *, keep: bool = True) -> tuple[str, ...]:
        """The audit entries since the payment before, in order of their names."""
        entries = await self.shop.store.audit.entries(self.shop.slug)
        new = [_step(entry.step) for entry in entries[self.audited :] if not entry.step.startswith(_ASIDE)]
        if keep:
            self.audited = len(entries)
        return tuple(sorted(new))


@asynccontextmanager
async def _meanwhile(errand: Awaitable[object]) -> AsyncIterator[None]:
    """The errand runs beside the body, and is given up with it."""
    task = asyncio.ensure_future(errand)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def _step(name: str) -> str:
    """The step without ids; people are told in either word that goods are to stay."""
    return _ID.split(name)[0].replace("notify_dispute#unmarked", "notify_dispute#held")


def _too_many(cell: Cell, story: Story, calls: Sequence[Call]) -> list[str]:
    """The writes that were asked of Zoho more often than it takes."""
    if any(fault.back for _, fault in cell.faults):
        return []  # what is taken back takes other writes
    asked, needed = (
        Counter(replace(one, nth=1) for one in all_of if one.at == "zoho" and one.writes)
        for all_of in (calls, story.calls)
    )
    again = sum(fault.again for _, fault in cell.faults)
    return [f"I6 {call} was asked {count} times" for call, count in asked.items() if count > needed[call] + again]
