"""What a lost dispute took written off in Zoho: the recorded payment lowered, the invoice's rest given up, and back."""

from __future__ import annotations

from temporalio import activity

from activities.effects import Once
from activities.shops import Shops
from domain.disputes import DisputeRef
from domain.documents import ReceiptRecord
from domain.runs import StepDone
from domain.writeoffs import OweState, ReceiptKept, WriteOffInput, WriteOffSeen

_BEFORE = "payment_before"
LOWER = "lower_payment"
RESTORE = "restore_payment"
_WRITE_OFF = "write_off"
_CANCEL = "cancel_write_off"


class WriteOffActivities:
    """One Zoho call each."""

    def __init__(self, shops: Shops, once: Once) -> None:
        self._shops = shops
        self._once = once

    @activity.defn
    async def recall_receipt(self, wanted: DisputeRef) -> ReceiptKept | None:
        """The recorded payment as it was before it was lowered for this dispute; None where it never was to be."""
        return await self._once.known(_BEFORE, wanted, ReceiptKept)

    @activity.defn
    async def keep_receipt(self, wanted: WriteOffInput) -> ReceiptKept:
        """Keep the recorded payment as it is before it is lowered; what was kept first stays."""
        kept = ReceiptKept(record=_record(wanted), invoice_id=wanted.invoice_id)

        async def seen() -> ReceiptKept:
            return kept

        return await self._once.repeat(_BEFORE, wanted, ReceiptKept, seen, note="kept")

    @activity.defn
    async def see_owed(self, wanted: WriteOffInput) -> WriteOffSeen:
        """How the invoice stands; closes what waits for the answer to how it came there."""
        state = await self._shops[wanted.connection].zoho.write_offs.state(wanted.invoice_id, wanted.money)
        if state is OweState.PAID:
            await self._once.adopt_begun(f"{RESTORE}#{wanted.invoice_id}", wanted, StepDone())
        if state in (OweState.OWED, OweState.WRITTEN_OFF):
            await self._once.adopt_begun(LOWER, wanted, StepDone(), amount=wanted.money)
        if state is OweState.OWED:
            await self._once.adopt_begun(f"{_CANCEL}#{wanted.invoice_id}", wanted, StepDone())
        if state is OweState.WRITTEN_OFF:
            await self._once.adopt_begun(_WRITE_OFF, wanted, StepDone(), amount=wanted.money)
        return WriteOffSeen(state=state)

    @activity.defn
    async def lower_payment(self, wanted: WriteOffInput) -> StepDone:
        """The recorded payment with what was lost less; deleted where that was all of it."""

        async def call() -> StepDone:
            await self._shops[wanted.connection].zoho.write_offs.lower(_record(wanted), wanted.invoice_id, wanted.money)
            return StepDone()

        return await self._once.write(LOWER, wanted, StepDone, call, amount=wanted.money)

    @activity.defn
    async def write_off(self, wanted: WriteOffInput) -> StepDone:
        """Give up what the invoice wants."""

        async def call() -> StepDone:
            await self._shops[wanted.connection].zoho.write_offs.write_off(wanted.invoice_id)
            return StepDone()

        return await self._once.write(_WRITE_OFF, wanted, StepDone, call, amount=wanted.money)

    @activity.defn
    async def cancel_write_off(self, wanted: WriteOffInput) -> StepDone:
        """Want again what was given up of the invoice."""

        async def call() -> StepDone:
            await self._shops[wanted.connection].zoho.write_offs.cancel(wanted.invoice_id)
            return StepDone()

        return await self._once.write(f"{_CANCEL}#{wanted.invoice_id}", wanted, StepDone, call)

    @activity.defn
    async def restore_payment(self, wanted: WriteOffInput) -> StepDone:
        """The recorded payment as it was before it was lowered; recorded anew where it was deleted."""

        async def call() -> StepDone:
            await self._shops[wanted.connection].zoho.write_offs.restore(
                _record(wanted), wanted.invoice_id, wanted.money
            )
            return StepDone()

        return await self._once.write(f"{RESTORE}#{wanted.invoice_id}", wanted, StepDone, call)


def _record(wanted: WriteOffInput) -> ReceiptRecord:
    assert wanted.record is not None  # the run lowers and restores only what it has read
    return wanted.record
