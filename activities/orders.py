"""The sales order: planned from our own memory, then written, found, confirmed or voided in Zoho."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from temporalio import activity

from activities.dossier import Dossier
from activities.effects import Once
from activities.memory import Memory
from activities.planning import Planner
from activities.shops import Shops
from clients.errors import AlreadyExists, Refused
from domain.corrections import OrderCorrection
from domain.documents import CONFIRMED, OrderDocument
from domain.hand_orders import AdoptInput, FoundBy, HandOrders, HandQuery, NumbersKnown, fitted, sorted_out
from domain.plans import OrderPlan, PrepareInput
from domain.runs import PaymentRef, StepDone
from domain.sales import DocumentRef, InvoiceWritten, OrderInput, OrderNumber, OrderWritten

if TYPE_CHECKING:
    from clients.store import Reservations

_STEP = "sales_order"
CONFIRM = "confirm"
_VOID = "void_sales_order"
_CORRECT = "update_sales_order"


class OrderActivities:
    """One Zoho call each; planning makes none."""

    def __init__(
        self,
        shops: Shops,
        dossier: Dossier,
        planner: Planner,
        once: Once,
        memory: Memory,
        reservations: Reservations,
        now: Callable[[], datetime],
    ) -> None:
        self._shops = shops
        self._dossier = dossier
        self._planner = planner
        self._once = once
        self._memory = memory
        self._reservations = reservations
        self._now = now

    @activity.defn
    async def prepare_order(self, wanted: PrepareInput) -> OrderPlan:
        """Map and check the order, as far as our memory reaches; tells what to ask of Zoho, or what is wrong."""
        return await self._planner.plan(wanted)

    @activity.defn
    async def create_sales_order(self, wanted: OrderInput) -> OrderWritten:
        """Write the order under its derived number; `taken` where Zoho has that number already."""
        draft = await self._dossier.order(wanted, wanted.order_ref)

        async def call() -> OrderWritten:
            await self._dossier.keep_written(wanted, draft, wanted)
            return _written(await self._shops[wanted.connection].zoho.create_sales_order(draft, wanted))

        try:
            written = await self._once.write(_STEP, wanted, OrderWritten, call, amount=wanted.total)
            if written.salesorder_id:
                await self._memory.keep_order(wanted.connection, written.salesorder_id, wanted.payment_id)
            await self._see_reserved(wanted, written.status in CONFIRMED)
            return written
        except AlreadyExists:
            return OrderWritten(taken=True)
        except Refused:
            await self._planner.forget(wanted.connection, draft)
            raise

    @activity.defn
    async def find_sales_order(self, wanted: OrderNumber) -> OrderWritten | None:
        """This payment's order, by its number; None where there is none that is alive and ours."""
        found = await self._shops[wanted.connection].zoho.find_sales_order(wanted.number)
        if found is None or found.reference != wanted.payment_id or found.status == "void":
            return None
        return _written(found)

    @activity.defn
    async def read_sales_order(self, wanted: DocumentRef) -> OrderWritten:
        """The order as it stands, with its lines and invoices."""
        written = _written(await self._shops[wanted.connection].zoho.sales_order(wanted.document_id))
        await self._once.adopt(_STEP, wanted, written, amount=wanted.total)
        if written.status in CONFIRMED:
            await self._once.adopt_begun(CONFIRM, wanted, StepDone(), amount=wanted.total)
            await self._see_reserved(wanted, True)
        if written.status == "void":
            await self._once.adopt_begun(_VOID, wanted, StepDone(), amount=wanted.total)
            await self._reservations.forget(wanted.connection, wanted.payment_id)
        return written

    @activity.defn
    async def confirm_sales_order(self, wanted: DocumentRef) -> StepDone:
        """Confirm the order: its quantities are committed."""

        async def call() -> StepDone:
            await self._shops[wanted.connection].zoho.confirm_sales_order(wanted.document_id)
            return StepDone()

        done = await self._once.write(CONFIRM, wanted, StepDone, call, amount=wanted.total)
        await self._see_reserved(wanted, not done.unknown)
        return done

    @activity.defn
    async def known_numbers(self, wanted: PaymentRef) -> NumbersKnown:
        """The order numbers that the payment's metadata hold under the keys that the shop names."""
        keys = self._shops[wanted.connection].policy.order_number_keys
        told = (await self._dossier.facts(wanted)).metadata
        numbers = (told.get(key, "").strip() for key in keys)
        return NumbersKnown(numbers=tuple(dict.fromkeys(filter(None, numbers))))

    @activity.defn
    async def find_orders_by_hand(self, wanted: HandQuery) -> HandOrders:
        """Orders that somebody may have entered for the payment; none that we know to be another payment's."""
        day = (await self._dossier.order(wanted, wanted.order_ref)).order_date
        hand = self._shops[wanted.connection].zoho.hand
        if wanted.found_by is FoundBy.CUSTOMER:
            rows = await hand.of_customer(wanted.words, day)
        else:
            rows = await hand.named(**{wanted.found_by.value: wanted.words})
        known = {row.salesorder_id: await self._memory.payment_of(wanted.connection, row.salesorder_id) for row in rows}
        return sorted_out(
            [row for row in rows if known[row.salesorder_id] in ("", wanted.payment_id)], known, wanted, day
        )

    @activity.defn
    async def adopt_sales_order(self, wanted: AdoptInput) -> OrderWritten:
        """Take an order that somebody entered as the payment's; `taken` where it cannot be, and nothing is kept."""
        draft = await self._dossier.order(wanted, wanted.order_ref)
        order = await self._shops[wanted.connection].zoho.sales_order(wanted.salesorder_id)
        written = _taken_over(order, wanted, [line.quantity for line in draft.lines])
        other = await self._memory.payment_of(wanted.connection, order.salesorder_id)
        if other in ("", wanted.payment_id) and not written.taken:
            await self._memory.keep_order(wanted.connection, order.salesorder_id, wanted.payment_id)
            await self._once.adopt(_STEP, wanted, written, amount=wanted.total)
            return written
        return written.model_copy(update={"taken": True})

    @activity.defn
    async def update_sales_order(self, wanted: OrderCorrection) -> OrderWritten:
        """Say the order anew, with the addresses and custom fields of now."""
        draft = await self._dossier.order(wanted, wanted.order_ref)

        async def call() -> OrderWritten:
            return _written(await self._shops[wanted.connection].zoho.update_sales_order(draft, wanted))

        return await self._once.write(_CORRECT, wanted, OrderWritten, call, amount=wanted.total)

    @activity.defn
    async def find_correction(self, wanted: OrderCorrection) -> OrderWritten | None:
        """The order, if it says what the draft says."""
        draft = await self._dossier.order(wanted, wanted.order_ref)
        found = await self._shops[wanted.connection].zoho.corrected_order(draft, wanted)
        if found is None:
            return None
        written = _written(found)
        await self._once.adopt(_CORRECT, wanted, written, amount=wanted.total)
        return written

    @activity.defn
    async def void_sales_order(self, wanted: DocumentRef) -> StepDone:
        """Take the order back."""

        async def call() -> StepDone:
            await self._shops[wanted.connection].zoho.void_sales_order(wanted.document_id)
            return StepDone()

        return await self._once.write(_VOID, wanted, StepDone, call, amount=wanted.total)

    async def _see_reserved(self, wanted: OrderInput | DocumentRef, confirmed: bool) -> None:
        """Zoho's own number holds the goods of a confirmed order: our reservation has done its work."""
        if wanted.reserved and confirmed:
            await self._reservations.confirm(wanted.connection, wanted.payment_id, at=self._now())


def _taken_over(order: OrderDocument, wanted: AdoptInput, pieces: Sequence[int]) -> OrderWritten:
    """An order that a person entered. It has to come to the payment's total, and be invoiced or have its very lines."""
    line_ids = fitted(order.lines, list(zip(wanted.item_ids, pieces, strict=True)))
    invoiced = any(invoice.status != "void" for invoice in order.invoices)
    fits = order.total == wanted.total and order.status != "void" and bool(line_ids or invoiced)
    about = {"number": order.number, "contact_id": order.customer_id, "line_item_ids": line_ids, "taken": not fits}
    return _written(order).model_copy(update=about)


def _written(order: OrderDocument) -> OrderWritten:
    return OrderWritten(
        salesorder_id=order.salesorder_id,
        status=order.status,
        total=order.total,
        reference=order.reference,
        line_item_ids=tuple(line.line_item_id for line in order.lines),
        goods=tuple(line for line in order.lines if line.stocked),
        packages=order.packages,
        own_steps=order.own_steps,
        invoices=tuple(
            InvoiceWritten(
                invoice_id=invoice.invoice_id,
                number=invoice.number,
                status=invoice.status,
                total=invoice.total,
                balance=invoice.balance,
            )
            for invoice in order.invoices
        ),
    )
