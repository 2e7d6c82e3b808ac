"""The sales order: planned from our own memory, then written, found, confirmed or voided in Zoho."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from temporalio import activity

from activities.dossier import Dossier
from activities.effects import Once
from activities.planning import Planner
from activities.shops import Shops
from clients.errors import AlreadyExists, Refused
from domain.corrections import OrderCorrection
from domain.documents import CONFIRMED, OrderDocument
from domain.plans import OrderPlan, PrepareInput
from domain.runs import StepDone
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
        reservations: Reservations,
        now: Callable[[], datetime],
    ) -> None:
        self._shops = shops
        self._dossier = dossier
        self._planner = planner
        self._once = once
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
        found = await self._shops[wanted.connection].zoho.corrected_order(wanted.salesorder_id, draft)
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
