"""Stock that no document moves: one adjustment a payment, and its way back."""

from __future__ import annotations

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.adjustments import AdjustmentActivities
    from domain.adjustments import AdjustInput, AdjustmentsLook, AdjustmentWritten
    from domain.runs import PaymentRef, StepDone
    from domain.sales import DocumentRef
    from workflows.calls import Calls


async def adjust_stock(calls: Calls, wanted: AdjustInput, *, look_first: bool) -> AdjustmentWritten:
    """The parts are out of stock, once. ApplicationError `SetInStock` where an adjustment would count twice.

    `look_first` where the order was there before, whatever our own memory says.
    """
    found = await calls.zoho_read(AdjustmentActivities.check_sets, wanted, "See that no document moves the sets")
    if found.moved or found.untracked:
        raise _in_stock(found.moved, found.untracked)

    async def write(after: int) -> AdjustmentWritten:
        return await calls.zoho_write(
            AdjustmentActivities.adjust_stock,
            wanted.model_copy(update={"after": after}),
            f"Take {', '.join(f'{part.quantity} {part.sku}' for part in wanted.parts)} out of stock",
        )

    async def look() -> AdjustmentWritten | None:
        ids = await find_adjustments(calls, wanted)
        return AdjustmentWritten(adjustment_id=ids[0]) if ids else None

    there = await look() if look_first else None
    return there or await calls.settle(write, look, "adjustment")


async def find_adjustments(calls: Calls, ref: PaymentRef, *deleted: str) -> tuple[str, ...]:
    """The payment's adjustments that stand; `deleted` should be gone."""
    look = AdjustmentsLook(
        connection=ref.connection, payment_id=ref.payment_id, round=ref.round, change=ref.change, deleted=deleted
    )
    found = await calls.zoho_read(AdjustmentActivities.find_adjustments, look, "Look for the payment's adjustments")
    return found.adjustment_ids


async def restore_stock(calls: Calls, target: DocumentRef) -> None:
    """No adjustment of the payment stands: the parts are in stock again."""

    async def standing() -> tuple[str, ...] | None:
        return await find_adjustments(calls, target) or None

    for adjustment_id in await calls.look_twice(standing, "adjustment") or ():
        await _delete(calls, target.model_copy(update={"document_id": adjustment_id}))


async def _delete(calls: Calls, wanted: DocumentRef) -> None:
    async def write(after: int) -> StepDone:
        return await calls.zoho_undo(
            AdjustmentActivities.restore_stock,
            wanted.model_copy(update={"after": after}),
            "Delete the adjustment: the parts return to stock",
        )

    async def look() -> StepDone | None:
        standing = await find_adjustments(calls, wanted, wanted.document_id)
        return None if wanted.document_id in standing else StepDone()

    await calls.settle(write, look, "undo")
    if await look() is None:
        raise ApplicationError("Zoho says yes, but it still stands", type="UndoFailed", non_retryable=True)


def _in_stock(moved: tuple[str, ...], untracked: tuple[str, ...]) -> ApplicationError:
    faults = []
    if moved:
        faults.append(f"Zoho itself moves the stock of {', '.join(moved)}, so an adjustment would count twice")
    if untracked:
        faults.append(f"Zoho tracks no stock of {', '.join(untracked)}")
    cure = "correct mapping.bundle_parts, mapping.gifts or the item, then retry, or skip: then nothing is adjusted"
    return ApplicationError(f"{'; '.join(faults)}; {cure}", type="SetInStock", non_retryable=True)
