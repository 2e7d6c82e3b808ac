"""What a payout's lines lack, before it is certified: found in Zoho by a reference, or booked by its own run."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.credits import CreditActivities
    from activities.missing import MissingActivities
    from activities.receipts import ReceiptActivities
    from domain.credits import CreditDocument, CreditQuery, CreditWritten
    from domain.missing import (
        AlikeInput,
        FoundCredit,
        FoundReceipt,
        Lacks,
        Missing,
        MissingInput,
        MissingLine,
        TellMissing,
        ToldHow,
        still,
    )
    from domain.payouts import LineKind
    from domain.receipts import ReceiptQuery
    from domain.runs import PaymentRef
    from workflows.calls import Calls

_SELDOM = timedelta(hours=1)
_CREDITED = (LineKind.REFUND, LineKind.DISPUTE)


class Filling:
    """The payout `ref` with `lines` kept lines."""

    def __init__(self, calls: Calls, ref: PaymentRef, lines: int) -> None:
        self._calls = calls
        self._ref = ref
        self._lines = lines

    async def fill(self) -> list[str]:
        """Look for each, tell the runs of those that are not there, and give these the policy's time to book them.

        What was done, in words.
        """
        missing, told, words = await self._missing() if self._lines else Missing(), list[MissingLine](), Counter[str]()
        for line in missing.lines:
            word = await self._look_after(line)
            words[word] += 1
            told += [line] if word == ToldHow.TOLD else []
        await self._wait(told)
        counted = ", ".join(f"{count} {_WORDS[word]}" for word, count in sorted(words.items()))
        more = f"{missing.more} more lines lack something and were not looked after" if missing.more else ""
        return [note for note in (counted and f"lines that lacked something: {counted}", more) if note]

    async def _missing(self, *, again: bool = False) -> Missing:
        wanted = MissingInput(**dict(self._ref), lines=self._lines, again=again)
        return await self._calls.read(MissingActivities.list_missing, wanted, "See which lines lack something")

    async def _look_after(self, line: MissingLine) -> str:
        if line.what is not Lacks.FEE and await self._found(line):
            return _FOUND
        if line.what is Lacks.REFERENCE or (line.what is Lacks.DOCUMENT and await self._alike(line)):
            return _LIKELY
        wanted = TellMissing(connection=self._ref.connection, line=line)
        summary = f"Tell the run of {line.source_id} what is missing"
        return (await self._calls.write(MissingActivities.tell_missing, wanted, summary)).how.value

    async def _found(self, line: MissingLine) -> bool:
        """Whether Zoho has the line's document under its reference; it is remembered then."""
        if line.kind is LineKind.CHARGE:
            return await self._receipt(line)
        return line.kind in _CREDITED and await self._credit(line)

    async def _receipt(self, line: MissingLine) -> bool:
        """Whether Zoho has a payment with the line's payment, or charge, as reference."""
        for reference in dict.fromkeys((line.payment_id, line.source_id)):
            ref = self._about(line, payment_id=reference)
            summary = f"Look for the payment recorded for {reference}"
            found = await self._calls.zoho_read(ReceiptActivities.find_receipt, ref, summary)
            if found.zoho_payment_id and await self._keep(line, found.zoho_payment_id):
                return True
        return False

    async def _alike(self, line: MissingLine) -> bool:
        """Whether Zoho has payments that could be this one by amount and date: a person is asked about those."""
        if line.kind is not LineKind.CHARGE:
            return False
        wanted = AlikeInput(connection=self._ref.connection, money=line.money, at=line.at)
        summary = f"Look for a payment over {line.money} that names nobody"
        found = await self._calls.zoho_read(MissingActivities.find_alike, wanted, summary)
        kept = [await self._keep(line, zoho_payment_id, likely=True) for zoho_payment_id in found.zoho_payment_ids]
        return any(kept)

    async def _keep(self, line: MissingLine, zoho_payment_id: str, *, likely: bool = False) -> bool:
        about = self._about(line)
        query = ReceiptQuery(**dict(about), zoho_payment_id=zoho_payment_id, currency=line.money.currency)
        record = await self._calls.zoho_read(
            ReceiptActivities.read_receipt, query, f"Read the recorded payment {zoho_payment_id}"
        )
        if record is None:
            return False
        found = FoundReceipt(**dict(about), record=record, likely=likely)
        await self._calls.write(MissingActivities.keep_receipt_found, found, "Remember the recorded payment")
        return True

    async def _credit(self, line: MissingLine) -> bool:
        """Whether Zoho has a credit note with the refund, or the dispute, as reference, and the note's refund."""
        about = dict(self._about(line, change=line.source_id)) | {"refund_id": line.source_id}
        summary = f"Look for the credit note of {line.source_id}"
        note: CreditWritten | None = await self._calls.zoho_read(
            CreditActivities.find_credit_note, CreditQuery(**about), summary
        )
        if note is None:
            return False
        asked = CreditDocument(**about, creditnote_id=note.creditnote_id)
        paid = await self._calls.zoho_read(CreditActivities.find_paid_out, asked, f"See what {note.number} paid out")
        if paid is None:
            return False
        found = FoundCredit(
            **dict(self._about(line, change=line.source_id)),
            creditnote_id=note.creditnote_id,
            number=note.number,
            zoho_refund_id=paid.zoho_refund_id,
            money=note.total or line.money,
            value=paid.value,
        )
        await self._calls.write(MissingActivities.keep_credit_found, found, "Remember the credit note's refund")
        return True

    async def _wait(self, told: list[MissingLine]) -> None:
        """Until what was told is booked, or the policy's time is over; looked at ever more seldom."""
        policy = self._calls.policy
        deadline, pause = workflow.now() + policy.payout_patience, policy.payout_look
        while told and (left := deadline - workflow.now()) > timedelta(0):
            await workflow.sleep(min(pause, left), summary="Look again whether the runs have booked what was missing")
            if not still(await self._missing(again=True), told):
                return
            pause = min(pause * 2, _SELDOM)

    def _about(self, line: MissingLine, **more: str) -> PaymentRef:
        return PaymentRef(**{"connection": self._ref.connection, "payment_id": line.payment_id, **more})


_FOUND, _LIKELY = "found", "likely"
_WORDS = {
    _FOUND: "found in Zoho by their reference",
    _LIKELY: "look like a payment in Zoho that names nobody",
    ToldHow.TOLD.value: "told to their runs",
    ToldHow.DONE.value: "of runs that have completed",
    ToldHow.CLOSED.value: "of runs that a person has ended",
    ToldHow.BEFORE.value: "from before this shop was carried",
}
