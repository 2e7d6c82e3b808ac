"""Stripe's fee on the recorded payment: one more call, whenever the fee is known."""

from __future__ import annotations

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.missing import MissingActivities
    from activities.receipts import ReceiptActivities
    from domain.documents import ReceiptRecord
    from domain.money import Money
    from domain.receipts import FeeInput, ReceiptQuery
    from domain.runs import PaymentRef, StepDone
    from domain.sales import ReceiptWritten
    from workflows import contract
    from workflows.calls import Calls


async def book_fee(calls: Calls, ref: PaymentRef, receipt: ReceiptWritten, charges: Money) -> bool:
    """`charges` as the recorded payment's bank charges; whether they had to be written."""
    record = receipt.record or await read_record(calls, ref, receipt.zoho_payment_id, charges.currency)
    wanted = FeeInput(**dict(ref), record=record, charges=charges)
    if record.bank_charges == charges:
        if receipt.record is None and workflow.patched(contract.FEE_FOUND):
            # The answer to the write that put it there was lost, or a person did: a payout would post it once more.
            await calls.write(MissingActivities.keep_fee_found, wanted, "Remember the fee on the recorded payment")
        return False

    async def write(after: int) -> StepDone:
        return await calls.zoho_write(
            ReceiptActivities.book_fee,
            wanted.model_copy(update={"after": after}),
            f"Put Stripe's fee of {charges} on the recorded payment",
        )

    async def look() -> StepDone | None:
        return await calls.zoho_read(ReceiptActivities.find_fee, wanted, "See whether the fee is on the payment")

    await calls.settle(write, look, "fee")
    return True


async def read_record(calls: Calls, ref: PaymentRef, payment_id: str, currency: str) -> ReceiptRecord:
    """The recorded payment, by Zoho's id or, where that is not known, by its reference. ApplicationError: not there."""
    if not payment_id:
        summary = f"Look for the payment recorded for {ref.payment_id}"
        payment_id = (await calls.zoho_read(ReceiptActivities.find_receipt, ref, summary)).zoho_payment_id
    record = None
    if payment_id:
        query = ReceiptQuery(**dict(ref), zoho_payment_id=payment_id, currency=currency)
        record = await calls.zoho_read(ReceiptActivities.read_receipt, query, "Read the recorded payment")
    if record is None:
        raise ApplicationError(
            f"Zoho has no single payment recorded for {ref.payment_id} that the fee could be put on; look for it there",
            type="ReceiptMissing",
            non_retryable=True,
        )
    return record
