"""What a payout's lines lack: listed, looked for in Zoho, remembered, or told to the run that books it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from temporalio import activity

from activities.effects import LIKELY, Once
from activities.receipts import FEE
from activities.remembered import documents_of
from activities.shops import Shops
from domain.credits import CreditWritten, PaidOut
from domain.matching import Explained, Matched
from domain.missing import (
    Alike,
    AlikeInput,
    FoundCredit,
    FoundReceipt,
    Missing,
    MissingInput,
    RunTold,
    TellMissing,
    ToldHow,
    before_us,
    heard_of,
    missing_of,
)
from domain.payouts import LineKind
from domain.receipts import FeeInput
from domain.reconciling import CertifyInput
from domain.runs import StepDone
from domain.sales import ReceiptWritten
from domain.sweeps import ALREADY_DONE, knew

if TYPE_CHECKING:
    from activities.sweeps import Door
    from clients.store import Effects, SeenEvents


class Explains(Protocol):
    """Who matches a payout's kept lines with what we remember."""

    async def explain(self, wanted: CertifyInput) -> Explained | None: ...

    async def match(self, wanted: CertifyInput) -> Matched | None: ...


class MissingActivities:
    """One call each."""

    def __init__(
        self, shops: Shops, payouts: Explains, effects: Effects, once: Once, events: SeenEvents, door: Door
    ) -> None:
        self._shops = shops
        self._payouts = payouts
        self._effects = effects
        self._once = once
        self._events = events
        self._door = door

    @activity.defn
    async def list_missing(self, wanted: MissingInput) -> Missing:
        """The kept lines that lack something by our own memory; none of a payout that cannot be certified anyhow."""
        if wanted.again:
            return missing_of(await self._payouts.match(wanted) or Matched())
        explained = await self._payouts.explain(wanted)
        return missing_of(explained) if explained and not explained.fatal else Missing()

    @activity.defn
    async def find_alike(self, wanted: AlikeInput) -> Alike:
        """Payments of the amount, recorded near the day, that name nobody's."""
        found = await self._shops[wanted.connection].zoho.receipts_alike(wanted.money, wanted.at.date())
        return Alike(zoho_payment_ids=tuple(found))

    @activity.defn
    async def keep_receipt_found(self, found: FoundReceipt) -> StepDone:
        """Remember a payment that stands in Zoho; one that is likely only is nobody's yet."""
        record = found.record
        step = f"{LIKELY}#{record.zoho_payment_id}" if found.likely else "customer_payment"
        written = ReceiptWritten(zoho_payment_id=record.zoho_payment_id, record=record)
        number = await self._once.rounds(found.connection, found.payment_id)
        about = found.model_copy(update={"round": number})
        await self._once.adopt(step, about, written, amount=record.amount)
        return StepDone()

    @activity.defn
    async def keep_fee_found(self, found: FeeInput) -> StepDone:
        """Remember a fee that stands on the recorded payment, unless our memory says so already."""
        rows = await self._effects.of(found.connection, found.payment_id)
        if all(one.fee != found.charges for one in documents_of(rows) if one.kind is LineKind.CHARGE):
            await self._once.adopt(FEE, found, StepDone(), amount=found.charges)
        return StepDone()

    @activity.defn
    async def keep_credit_found(self, found: FoundCredit) -> StepDone:
        """Remember a credit note and its refund that stand in Zoho."""
        note = CreditWritten(creditnote_id=found.creditnote_id, number=found.number, total=found.money)
        await self._once.adopt("credit_note", found, note, amount=found.money)
        paid = PaidOut(zoho_refund_id=found.zoho_refund_id, value=found.value)
        await self._once.adopt("credit_note_refund", found, paid, amount=found.money)
        return StepDone()

    @activity.defn
    async def tell_missing(self, wanted: TellMissing) -> RunTold:
        """Tell the run that books the line, through the ingress's own door; a repeat tells the same run the same."""
        heard, first = heard_of(wanted.line), await self._events.first(wanted.connection)
        if before_us(wanted.line, first):
            return RunTold(how=ToldHow.BEFORE)
        (run,) = await self._door.runs(wanted.connection, [heard])
        if knew(run, heard):
            return RunTold(how=ToldHow.DONE if run and run.succeeded else ToldHow.CLOSED)
        told = await self._door.tell(wanted.connection, heard)
        return RunTold(how=ToldHow.DONE if told == ALREADY_DONE else ToldHow.TOLD)
