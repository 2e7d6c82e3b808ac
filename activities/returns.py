"""A return: read in Zoho, its payment found, its money given back in Stripe, its goods received."""

from __future__ import annotations

from temporalio import activity

from activities.credits import DELETE_CREDIT_REFUND
from activities.effects import Once
from activities.given_back import MoneyBack
from activities.memory import Memory
from activities.shops import Shops
from clients.errors import NotFound
from domain.given_back import GiveBackInput, GivenBack, ReturnMoney, money_now
from domain.returns import (
    FoundBy,
    OrderTrace,
    ReceiveDocument,
    ReceiveInput,
    ReceiveWritten,
    ReturnedPayment,
    ReturnQuery,
    ReturnRef,
    ReturnSeen,
    StatusInput,
    TraceInput,
)
from domain.runs import StepDone

_RECEIVE = "receive_return"
_DELETE = "delete_receive"


class ReturnActivities:
    """One call each; finding a payment may ask Stripe twice."""

    def __init__(self, shops: Shops, memory: Memory, once: Once) -> None:
        self._shops = shops
        self._memory = memory
        self._once = once
        self._money = MoneyBack(shops, once, "give_back")

    @activity.defn
    async def read_return(self, wanted: ReturnQuery) -> ReturnSeen:
        """The return as it stands in Zoho; closes what waits for a receive to show, or to be gone."""
        seen = await self._shops[wanted.connection].zoho.returns.read(wanted.document_id or wanted.return_id)
        if seen.return_id == wanted.return_id and wanted.before is not None:
            ours = tuple(one for one in seen.receives if one not in wanted.before)
            if ours:
                found = ReceiveWritten(receive_ids=ours)
                await self._once.adopt_begun(await self._receive_step(wanted), wanted, found)
        if wanted.deleted and wanted.deleted not in seen.receives:
            await self._once.adopt_begun(f"{_DELETE}#{wanted.deleted}", wanted, StepDone())
        return seen

    @activity.defn
    async def remember_payment(self, wanted: TraceInput) -> ReturnedPayment:
        """The payment of the order, as far as our own memory knows it."""
        known = await self._memory.payment_of(wanted.connection, wanted.salesorder_id)
        return ReturnedPayment(payment_id=known, told_by=FoundBy.MEMORY) if known else ReturnedPayment()

    @activity.defn
    async def trace_order(self, wanted: TraceInput) -> OrderTrace:
        """What the order in Zoho says about its payment."""
        shop = self._shops[wanted.connection]
        fields = (shop.mapping.payment_field, shop.mapping.charge_field)
        return await shop.zoho.returns.trace(wanted.salesorder_id, fields)

    @activity.defn
    async def identify_payment(self, wanted: TraceInput) -> ReturnedPayment:
        """The payment that the order's words mean, or that names the order in Stripe."""
        stripe = self._shops[wanted.connection].stripe
        for candidate in wanted.candidates:
            try:
                payment_id = await stripe.resolve_payment(candidate)
                await stripe.refunds.refundable(payment_id or candidate)
            except NotFound:
                return ReturnedPayment(foreign=candidate)
            return ReturnedPayment(payment_id=payment_id or candidate, told_by=FoundBy.ORDER)
        found = await stripe.paid_for_order(wanted.salesorder_id)
        return ReturnedPayment(payment_id=found[0], told_by=FoundBy.METADATA) if len(found) == 1 else ReturnedPayment()

    @activity.defn
    async def fetch_return_money(self, wanted: ReturnRef) -> ReturnMoney:
        """What the payment brought and gave back, and what became of the refunds that were made for the return."""
        captured, refunds = await self._shops[wanted.connection].stripe.refunds.refundable(wanted.payment_id)
        unpaid = await self._once.undone(DELETE_CREDIT_REFUND, wanted)
        return money_now(captured, refunds, wanted, unpaid)

    @activity.defn
    async def give_back(self, wanted: GiveBackInput) -> GivenBack:
        """The refund in Stripe, once for each attempt; `refused` where Stripe will not."""
        return await self._money.give(wanted, wanted.metadata)

    @activity.defn
    async def find_given_back(self, wanted: GiveBackInput) -> GivenBack | None:
        """The refund of this attempt, by its metadata, where the answer was lost; None where there is none."""
        return await self._money.find(wanted, wanted.named_by, wanted.return_id)

    @activity.defn
    async def receive_return(self, wanted: ReceiveInput) -> ReceiveWritten:
        """The goods as received: physical stock has them again."""
        day = await self._memory.day(wanted.connection, wanted.at)

        async def call() -> ReceiveWritten:
            zoho = self._shops[wanted.connection].zoho
            return ReceiveWritten(receive_ids=(await zoho.returns.receive(wanted.return_id, wanted.lines, day),))

        return await self._once.write(await self._receive_step(wanted), wanted, ReceiveWritten, call)

    @activity.defn
    async def own_receives(self, wanted: ReturnRef) -> ReceiveWritten:
        """The receives that the return's run wrote, by Zoho's id; none where somebody else did."""
        return await self._once.known(await self._receive_step(wanted), wanted, ReceiveWritten) or ReceiveWritten()

    @activity.defn
    async def delete_receive(self, wanted: ReceiveDocument) -> StepDone:
        """Take a receive back."""

        async def call() -> StepDone:
            await self._shops[wanted.connection].zoho.returns.delete_receive(wanted.receive_id)
            return StepDone()

        return await self._once.write(f"{_DELETE}#{wanted.receive_id}", wanted, StepDone, call)

    @activity.defn
    async def mark_return(self, wanted: StatusInput) -> StepDone:
        """Write the refund and how it stands into the return."""
        shop = self._shops[wanted.connection]
        fields = shop.policy.returns.says(wanted.refund_id, wanted.status)

        async def call() -> StepDone:
            await shop.zoho.returns.mark(wanted.seen, fields)
            return StepDone()

        return await self._once.write(_mark_step(wanted), wanted, StepDone, call) if fields else StepDone()

    @activity.defn
    async def find_return_mark(self, wanted: StatusInput) -> StepDone | None:
        """Whether the return says the refund and how it stands, where the answer was lost."""
        shop = self._shops[wanted.connection]
        said = (await shop.zoho.returns.read(wanted.return_id)).fields.items()
        if not shop.policy.returns.says(wanted.refund_id, wanted.status).items() <= said:
            return None
        await self._once.adopt(_mark_step(wanted), wanted, StepDone())
        return StepDone()

    async def _receive_step(self, wanted: ReturnRef) -> str:
        """What is received after it was taken back is another effect."""
        again = await self._once.undone(_DELETE, wanted)
        return f"{_RECEIVE}#{again}" if again else _RECEIVE


def _mark_step(wanted: StatusInput) -> str:
    return f"mark_return#{wanted.refund_id}-{wanted.status}"
