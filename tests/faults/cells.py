"""One payment of one kind, with faults at some of its calls, and whether the books came out right all the same."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from difflib import ndiff
from pprint import pformat
from typing import Any

from temporalio.client import (
    RPCTimeoutOrCancelledError,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowUpdateFailedError,
)
from temporalio.service import RPCError

from cli.ledger_check import check
from domain.attention import Trouble
from tests.endtoend.outcomes import canonical, everything_told
from tests.endtoend.shops import Shop
from tests.faults.calls import Call, calls_since, mark
from tests.faults.faults import Fault, Scene
from tests.faults.kinds import Kind, tell_fee
from workflows import contract

CLOSES_WITHIN = 120.0  # seconds (I8): a minute, and one more because two dozen payments share the machine
_OFTEN, _SELDOM = 0.3, 2.0  # seconds between two looks whether a run waits for a person
_ASIDE = ("answer#", "tell_attention#", "tell_resolved#")  # entries of the audit trail that only a parked run has
_COUNTS = re.compile(
    r"stock|(invoice|payment|package|creditnote)_number"
)  # fields that tell what was in the shop before
_ID = re.compile(r"[#@~]")  # what comes before the id of a document or refund in the name of a step
_PAYMENTS = ("payment_intents", "charges")
_STEPS = {
    "salesorders": "sales_order",
    "invoices": "invoice",
    "payments": "customer_payment",
    "shipments": "shipment",
    "adjustments": "adjust_stock",
}
_DOCUMENTS = tuple(_STEPS)
_BACK_AGAIN = ("creditnotes", "refunds")  # they name the refund
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
        return _OFTEN if any(fault.name in ("refused", "aborted") for _, fault in self.faults) else _SELDOM

    @property
    def keeps_trail(self) -> bool:
        """Whether our store, and with it the audit trail, is still there afterwards."""
        return all(fault.keeps_store for _, fault in self.faults)

    @property
    def may_end_back(self) -> bool:
        """Whether it is no violation that everything was taken back."""
        return self.kind.aborted or any(fault.back for _, fault in self.faults)


@dataclass(frozen=True)
class Story:
    """What a payment came to where nothing went wrong: its calls, its books and its audit trail."""

    calls: tuple[Call, ...]
    books: Any
    steps: tuple[str, ...]


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

    async def open(self) -> None:
        """A payment of the kind before the first that counts, unless the first one is what counts."""
        if not self.kind.first:
            await self.undisturbed()

    async def undisturbed(self) -> Story:
        """One payment with which nothing goes wrong."""
        async with self.acting() as act:
            begun, payment = await act()
            self.last = payment
            await self.close(payment, "retry", _SELDOM)
        calls = calls_since(self.shop, begun)
        wrong, status = await self.judged(payment, None)
        assert (wrong, status in _BACK) == ([], self.kind.aborted), (self.kind.name, wrong, status)
        return Story(calls, _books(*await self._ledgers(), payment), await self._steps())

    @asynccontextmanager
    async def acting(self) -> AsyncIterator[Any]:
        """The kind's next payment, prepared; what is yielded lets its calls be made: when they began, and its id."""
        number, self.paid = self.paid, self.paid + 1
        prepared = await self.kind.prepare(self.shop, number)
        self.before = await self.kind.ended(self.shop, prepared)

        async with AsyncExitStack() as errands:

            async def act() -> tuple[float, str]:
                begun, payment = mark(), await self.kind.begin(self.shop, number, prepared)
                if self.kind.fee:
                    await errands.enter_async_context(_meanwhile(tell_fee(self.shop, payment)))
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
        if (status in _BACK and not cell.may_end_back) or (status not in _BACK and self.kind.aborted):
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

    async def _closed(self, payment: str) -> None:
        while True:
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

    async def _answer(self, payment: str, answer: str) -> None:
        """What a person says to the run, where it asks; everything that Stripe has to tell is told by then."""
        # It may have gone on by itself meanwhile.
        with suppress(RPCError, RPCTimeoutOrCancelledError, WorkflowUpdateFailedError, TimeoutError):
            run = await self.kind.run(self.shop, payment)
            found = await run.describe()
            if not found.typed_search_attributes.get(contract.NEEDS_ATTENTION):
                return
            await everything_told(self.shop)
            trouble = await run.query(contract.TROUBLE, result_type=Trouble | None)
            if trouble is None:
                return
            offered = answer if answer in trouble.actions() else "retry"
            said = {"action": offered, "by": "test", "reason": "wrong shop" if offered == "abort" else ""}
            await run.execute_update(contract.RESOLVE, said)

    async def _open_runs(self) -> int:
        query = f"{contract.CONNECTION.name} = '{self.shop.slug}' AND ExecutionStatus = 'Running'"
        return (await self.shop.client.count_workflows(query)).count

    async def judged(
        self, payment: str, story: Story | None, *, trail: bool = True
    ) -> tuple[list[str], WorkflowExecutionStatus]:
        """Every invariant that does not hold in the shop now, read from the ledgers, and how the run ended."""
        status = (await (await self.kind.run(self.shop, payment)).describe()).status
        assert status is not None
        if status in _BACK:
            self.back.add(payment)
        stripe, zoho = await self._ledgers()
        wrong = [str(one) for one in check(_without(stripe, self.back, refunds=self.kind.refund), zoho)]
        wrong += [f"I6 {line}" for line in _doubled_people(zoho)]
        report = await self.shop.store.audit.verify(self.shop.slug)
        if not report.ok:
            wrong.append(f"I10 {report.reason}")
        steps = await self._steps(keep=False)
        if status in _BACK:
            wrong += _left(stripe, zoho, payment, steps if trail else None, self.kind.own)
        elif story is not None and not self.kind.aborted:
            wrong += _different(story, _books(stripe, zoho, payment), steps if trail else None)
        return wrong, status

    async def _ledgers(self) -> tuple[Any, Any]:
        stripe = await self.shop.stripe(only=",".join(("balance_transactions", "refunds", *_PAYMENTS)))
        return stripe, await self.shop.books(
            only=",".join(("contacts", "items", "packages", *_DOCUMENTS, *_BACK_AGAIN))
        )

    async def _steps(self, *, keep: bool = True) -> tuple[str, ...]:
        """The audit entries since the payment before, in order of their names."""
        entries = await self.shop.store.audit.entries(self.shop.slug)
        new = [_ID.split(entry.step)[0] for entry in entries[self.audited :] if not entry.step.startswith(_ASIDE)]
        if keep:
            self.audited = len(entries)
        return tuple(sorted(new))


@asynccontextmanager
async def _meanwhile(errand: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """The errand runs beside the body, and is given up with it."""
    task = asyncio.create_task(errand)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def _books(stripe: Any, zoho: Any, payment: str) -> Any:
    """The payment in both ledgers, in a form that two payments of a kind share."""
    metadata = [row["metadata"] for kind in _PAYMENTS for row in stripe[kind] if payment in _names(row)]
    documents = {kind: _of(zoho, kind, payment) for kind in _DOCUMENTS}
    refunds = [row for row in stripe["refunds"] if payment in (row["payment_intent"], row["charge"])]
    documents |= {kind: [one for row in refunds for one in _of(zoho, kind, row["id"])] for kind in _BACK_AGAIN}
    return canonical(*_plain([metadata, [row["metadata"] for row in refunds], documents]))


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


def _names(row: Any) -> tuple[str, str | None]:
    return row["id"], row.get("payment_intent")


def _of(zoho: Any, kind: str, payment: str) -> list[Any]:
    return [row for row in zoho[kind] if row["reference_number"] == payment]


def _without(stripe: Any, back: set[str], *, refunds: bool) -> Any:
    """Stripe's ledger without the payments, or refunds of payments, that were taken back: nothing may trace to them."""
    kinds = ("refunds",) if refunds else _PAYMENTS
    kept = {kind: [row for row in stripe[kind] if not back & {*_names(row), row.get("charge")}] for kind in kinds}
    return {**stripe, **kept}


def _plain(value: Any) -> Any:
    """Without numbers that count what was before, and with one name for everybody."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items() if not _COUNTS.search(key)}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return _somebody(value) if isinstance(value, str) else value


def _somebody(text: str) -> str:
    return re.sub(r"(?i)q\d+q", "somebody", text)


def _doubled_people(zoho: Any) -> list[str]:
    """Contacts that one payer has twice, and addresses that one contact has twice."""
    payers = Counter((row["email"], row["currency_code"]) for row in zoho["contacts"])
    lines = [f"{count} contacts of one payer" for count in payers.values() if count > 1]
    for row in zoho["contacts"]:
        rows = [row["billing_address"], row["shipping_address"], *row["addresses"]]
        kept = Counter(tuple(one.get(name, "") for name in ("address", "city", "zip")) for one in rows)
        lines += [f"{count} times one address" for key, count in kept.items() if any(key) and count > 1]
    return lines


def _left(stripe: Any, zoho: Any, payment: str, steps: Sequence[str] | None, by_zoho: Sequence[str]) -> list[str]:
    """What of a payment, or of its refund, that was taken back still says otherwise."""
    own = [row for row in stripe["refunds"] if payment in (row["payment_intent"], row["charge"])]
    told = own or [row for row in stripe["payment_intents"] + stripe["charges"] if row["id"] == payment]
    lines = [f"I6 {payment}: Stripe's metadata still names a document" for row in told if _mentions(row)]
    if steps is None or own:
        return lines
    untold = [
        kind for kind in _DOCUMENTS if kind not in by_zoho and _of(zoho, kind, payment) and _STEPS[kind] not in steps
    ]
    return lines + [f"I10 {payment}: no audit entry tells of its {kind}" for kind in untold]


def _mentions(row: Any) -> bool:
    return any(name.startswith("zoho_") and value for name, value in row["metadata"].items())


def _different(story: Story, books: Any, steps: Sequence[str] | None) -> list[str]:
    """The lines in which the books, or the trail, differ from those of an undisturbed payment."""
    lines = []
    if steps is not None and tuple(steps) != story.steps:
        lines.append(f"I10 the trail has {list(steps)}, not {list(story.steps)}")
    if books == story.books:
        return lines
    first, second = (pformat(one, width=200).splitlines() for one in (story.books, books))
    return lines + [line for line in ndiff(first, second) if line[0] in "-+"]
