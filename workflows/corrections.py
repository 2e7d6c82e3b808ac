"""Corrections of a sale's documents, each written once and looked for after a lost answer."""

from __future__ import annotations

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.changes import ChangeActivities
    from activities.orders import OrderActivities
    from domain.corrections import OrderCorrection, PersonInput
    from domain.runs import PaymentRef, StepDone
    from domain.sales import DocumentRef, OrderInput, OrderWritten
    from workflows.calls import Calls


async def correct_person(calls: Calls, wanted: PersonInput) -> bool:
    """Name, e-mail and phone at the contact's person; whether they had to be corrected."""
    seen = await calls.zoho_read(ChangeActivities.find_person, wanted, "Read the contact's person")
    if seen.same:
        return False
    if not seen.person_id:
        raise ApplicationError(
            f"Zoho's contact {wanted.contact_id} has no person with the payer's e-mail; correct it there, then skip",
            type="PersonMissing",
            non_retryable=True,
        )
    named = wanted.model_copy(update={"person_id": seen.person_id})

    async def write(after: int) -> StepDone:
        return await calls.zoho_write(
            ChangeActivities.update_person, named.model_copy(update={"after": after}), "Correct the contact's person"
        )

    async def look() -> StepDone | None:
        return await calls.zoho_read(ChangeActivities.see_person, named, "See whether the person was corrected")

    await calls.settle(write, look, "person")
    return True


async def correct_order(
    calls: Calls, ref: PaymentRef, order: OrderInput, salesorder_id: str, marks: dict[str, str] | None = None
) -> None:
    """The order's addresses and custom fields, `marks` among them. One that a person has changed is left as it is."""
    stands = await calls.zoho_read(
        OrderActivities.read_sales_order, _as_written(ref, order, salesorder_id), f"Read sales order {order.number}"
    )
    if stands.total != order.total or len(stands.line_item_ids) != len(order.item_ids) or stands.status == "void":
        raise _by_hand(f"sales order {order.number} was changed in Zoho since it was written")
    wanted = OrderCorrection(
        **dict(order) | {"salesorder_id": salesorder_id, "line_item_ids": stands.line_item_ids, **dict(ref)},
        marks=marks or {},
    )

    async def write(after: int) -> OrderWritten:
        return await calls.zoho_write(
            OrderActivities.update_sales_order,
            wanted.model_copy(update={"after": after}),
            f"Correct addresses and fields of {order.number}",
        )

    async def look() -> OrderWritten | None:
        return await calls.zoho_read(
            OrderActivities.find_correction, wanted, f"See whether {order.number} was corrected"
        )

    now = await calls.settle(write, look, "correction")
    if now.total != order.total:
        raise _by_hand(f"sales order {order.number} comes to {now.total} after its correction, not to {order.total}")


def _as_written(ref: PaymentRef, order: OrderInput, salesorder_id: str) -> DocumentRef:
    """The order in the words of the payment's own run, whose effect it is."""
    own = ref.model_copy(update={"change": ""})
    return DocumentRef(**dict(own), document_id=salesorder_id, total=order.total)


def _by_hand(what: str) -> ApplicationError:
    return ApplicationError(f"{what}; correct it there by hand and skip", type="ChangedByHand", non_retryable=True)
