"""The documents of one sale, each written once: order, confirmation, invoice, sent mark, payment."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.invoices import InvoiceActivities
    from activities.orders import OrderActivities
    from activities.receipts import ReceiptActivities
    from domain.documents import CONFIRMED, OwnStep
    from domain.money import Money
    from domain.runs import PaymentRef, Rerun, RerunStep, Stage, StepDone, UndoKind
    from domain.sales import (
        DocumentRef,
        InvoiceInput,
        InvoiceWritten,
        OrderInput,
        OrderWritten,
        ReceiptInput,
        ReceiptWritten,
    )
    from workflows.calls import Calls
    from workflows.compensation import TakeBack, UndoStack


_UNDO_OF = {
    OwnStep.INVOICE: UndoKind.VOID_INVOICE,
    OwnStep.PAYMENT: UndoKind.DELETE_PAYMENT,
    OwnStep.PACKAGE: UndoKind.DELETE_PACKAGE,
    OwnStep.SHIPMENT: UndoKind.DELETE_SHIPMENT,
}


class Sale:
    """One payment's documents in Zoho. Each method is one step; what is done already is found, not repeated."""

    def __init__(
        self,
        calls: Calls,
        wanted: OrderInput,
        undo: UndoStack,
        reach: Callable[..., None],
        standing: OrderWritten | None = None,
        rerun: Rerun | None = None,
    ) -> None:
        self._calls = calls
        self._reach = reach
        self._undo = undo
        self._wanted = wanted
        self._standing = standing  # an order that somebody entered by hand
        self.paid_by_hand = False
        self._rerun = rerun or Rerun()
        self._ref = PaymentRef(connection=wanted.connection, payment_id=wanted.payment_id, round=wanted.round)

    async def order(self) -> OrderWritten:
        """The confirmed order. What the organisation did by itself with it is seen, so that nobody does it twice."""
        order = self._standing or await self._write_order()
        if self._rerun.from_step is not None:
            order = await self._see_order(order)
        self._reach(Stage.ORDERED, order=order.salesorder_id, index=True)
        for step in order.own_steps:
            # Confirming does these too.
            self._undo.register(_UNDO_OF[step])
        await self._confirm(order)
        self._reach(Stage.CONFIRMED)
        return await self._see_own_steps(order) if order.own_steps else order

    async def invoice(self, order: OrderWritten) -> InvoiceWritten:
        """The order's invoice, sent: accounting stock moved."""
        invoice = await self._write_invoice(order)
        self._reach(Stage.INVOICED, invoice=invoice.invoice_id)
        await self._mark_sent(invoice)
        return invoice

    async def _see_order(self, order: OrderWritten) -> OrderWritten:
        """The order as it stands now, whatever was answered when it was written."""
        target, summary = self._document(order.salesorder_id), f"See what stands of {self._wanted.number}"
        return await self._calls.zoho_read(OrderActivities.read_sales_order, target, summary)

    async def _see_own_steps(self, order: OrderWritten) -> OrderWritten:
        """The order with what came of confirming it; looked at again later where not all of that is there yet."""
        seen = order

        async def look() -> OrderWritten | None:
            nonlocal seen
            seen = await self._calls.zoho_read(
                OrderActivities.read_sales_order,
                self._document(order.salesorder_id),
                f"See what the organisation itself did with {self._wanted.number}",
            )
            return seen if _did(seen, order.own_steps) else None

        await self._calls.look_twice(look, "organisation's own step")
        done = [step.value for step in order.own_steps if _did(seen, (step,))]
        self._reach(Stage.CONFIRMED, note=f"the organisation itself made {', '.join(done) or 'nothing'}")
        return seen

    async def _write_order(self) -> OrderWritten:
        """The sales order at Stripe's total. Where Zoho comes to another, the order is voided and the run fails."""
        wanted = self._wanted.model_copy(update={"change": self._rerun.change(RerunStep.ORDER)})
        self._undo.register(UndoKind.VOID_SALES_ORDER)

        async def write(after: int) -> OrderWritten:
            return await self._calls.zoho_write(
                OrderActivities.create_sales_order,
                wanted.model_copy(update={"after": after}),
                f"Create sales order {wanted.number} over {wanted.total}",
            )

        order = await self._calls.settle(write, self._find_order, "sales order")
        if order.taken:
            order = await self._adopt_order()
        if order.total != wanted.total:
            await self._take_back(order)
        return order

    async def _find_order(self) -> OrderWritten | None:
        found = await self._calls.zoho_read(
            OrderActivities.find_sales_order, self._wanted, f"Look for sales order {self._wanted.number}"
        )
        if found is None:
            return None
        return await self._calls.zoho_read(
            OrderActivities.read_sales_order,
            self._document(found.salesorder_id),
            f"Read sales order {self._wanted.number}",
        )

    async def _adopt_order(self) -> OrderWritten:
        """The number exists: an earlier try of ours wrote it, or somebody else did."""
        found = await self._calls.look_twice(self._find_order, "sales order")
        if found is not None:
            return found
        raise ApplicationError(
            f"Zoho has a sales order {self._wanted.number} that is void or not this payment's; delete or rename it in "
            "Zoho, then start the payment again",
            type="OrderNumberTaken",
            non_retryable=True,
        )

    async def _take_back(self, order: OrderWritten) -> NoReturn:
        """Void the order, see that it is void, and invoice nothing."""
        wanted = self._wanted
        await TakeBack(self._calls, self._ref, wanted.number, wanted.total).run(self._undo)
        raise ApplicationError(
            f"Zoho computed {_said(order.total)} where Stripe took {wanted.total}: order {wanted.number} was voided "
            "and nothing was invoiced; compare the organisation's tax and rounding settings with the connection's, "
            f"delete the void {wanted.number} in Zoho, then retry",
            type="TotalsDiffer",
            non_retryable=True,
        )

    async def _confirm(self, order: OrderWritten) -> None:
        """The order counts: its quantities are committed."""
        if order.status in CONFIRMED:
            return
        number, target = self._wanted.number, self._document(order.salesorder_id)

        async def write(after: int) -> StepDone:
            return await self._calls.zoho_write(
                OrderActivities.confirm_sales_order,
                target.model_copy(update={"after": after}),
                f"Confirm sales order {number}: stock is committed",
            )

        async def look() -> StepDone | None:
            now = await self._calls.zoho_read(
                OrderActivities.read_sales_order, target, f"See whether {number} is confirmed"
            )
            return StepDone() if now.status in CONFIRMED else None

        await self._calls.settle(write, look, "confirmation")

    async def _write_invoice(self, order: OrderWritten) -> InvoiceWritten:
        """The order's invoice, a draft at Stripe's total."""
        wanted = self._wanted.model_copy(update={"change": self._rerun.change(RerunStep.INVOICE)})
        target = InvoiceInput(**dict(wanted), salesorder_id=order.salesorder_id, line_item_ids=order.line_item_ids)

        self._undo.register(UndoKind.VOID_INVOICE)

        async def write(after: int) -> InvoiceWritten:
            return await self._calls.zoho_write(
                InvoiceActivities.create_invoice,
                target.model_copy(update={"after": after}),
                f"Create the invoice for {wanted.number} over {wanted.total}",
            )

        async def look() -> InvoiceWritten | None:
            return await self._calls.zoho_read(
                InvoiceActivities.find_invoice, target, f"Look for the invoice of {wanted.number}"
            )

        # An order that was there before may be invoiced already, whatever our own memory says.
        found = await look() if order.invoices else None
        invoice = found or await self._calls.settle(write, look, "invoice")
        if invoice.total != wanted.total:
            raise ApplicationError(
                f"the invoice {invoice.number} came to {_said(invoice.total)} where Stripe took {wanted.total}; it was "
                "not sent and moved no stock; compare Zoho's tax and rounding settings with the connection's",
                type="TotalsDiffer",
                non_retryable=True,
            )
        return invoice

    async def _mark_sent(self, invoice: InvoiceWritten) -> None:
        """The invoice counts: accounting stock goes down."""
        if invoice.status != "draft":
            return
        target = self._document(invoice.invoice_id, RerunStep.INVOICE)

        async def write(after: int) -> StepDone:
            return await self._calls.zoho_write(
                InvoiceActivities.mark_invoice_sent,
                target.model_copy(update={"after": after}),
                f"Mark invoice {invoice.number} sent: accounting stock moves",
            )

        async def look() -> StepDone | None:
            now = await self._calls.zoho_read(
                InvoiceActivities.read_invoice, target, f"See whether invoice {invoice.number} is sent"
            )
            return StepDone() if now.status != "draft" else None

        await self._calls.settle(write, look, "sent mark")

    async def record_payment(self, invoice: InvoiceWritten, charges: Money | None = None) -> ReceiptWritten:
        """The money on the invoice, which then wants nothing more; `charges` are Stripe's fee, where it is known."""
        wanted, target = self._wanted, self._receipt(invoice, charges)
        self._refuse_paid_in_part(invoice)
        self._undo.register(UndoKind.DELETE_PAYMENT)

        async def write(after: int) -> ReceiptWritten:
            return await self._calls.zoho_write(
                ReceiptActivities.record_payment,
                target.model_copy(update={"after": after}),
                f"Record the payment of {wanted.total} on invoice {invoice.number}",
            )

        async def look() -> ReceiptWritten | None:
            return await self._calls.zoho_read(
                ReceiptActivities.find_payment, target, f"Look for the payment on invoice {invoice.number}"
            )

        # An invoice that wants nothing has been paid already, whatever our own memory says.
        found = await look() if target.change or not invoice.balance else None
        self.paid_by_hand = found is not None and self._standing is not None
        receipt = found or await self._calls.settle(write, look, "payment")
        if receipt.balance:
            raise ApplicationError(
                f"invoice {invoice.number} still wants {receipt.balance} after the payment of {wanted.total}",
                type="BalanceLeft",
                non_retryable=True,
            )
        return receipt

    def _receipt(self, invoice: InvoiceWritten, charges: Money | None) -> ReceiptInput:
        wanted = self._wanted
        return ReceiptInput(
            **{**dict(self._ref), "change": self._rerun.change(RerunStep.PAYMENT)},
            order_ref=wanted.order_ref,
            invoice_id=invoice.invoice_id,
            contact_id=wanted.contact_id,
            total=wanted.total,
            exchange_rate=wanted.exchange_rate,
            bank_charges=charges,
        )

    def _refuse_paid_in_part(self, invoice: InvoiceWritten) -> None:
        if self._standing is None or not invoice.balance or invoice.balance == self._wanted.total:
            return
        raise ApplicationError(
            f"invoice {invoice.number} was entered by hand and wants {invoice.balance} of {self._wanted.total}: "
            "somebody recorded a part of the payment; record the rest in Zoho, or delete that part, then retry",
            type="BalanceLeft",
            non_retryable=True,
        )

    def _document(self, document_id: str, step: RerunStep = RerunStep.ORDER) -> DocumentRef:
        ref = {**dict(self._ref), "change": self._rerun.change(step)}
        return DocumentRef(**ref, document_id=document_id, total=self._wanted.total, reserved=self._wanted.reserved)


def _said(total: Money | None) -> str:
    """A total in words; Zoho may keep finer amounts than there is money for."""
    return str(total) if total is not None else "an amount finer than a minor unit"


def _did(order: OrderWritten, steps: tuple[OwnStep, ...]) -> bool:
    """Whether each of these steps shows on the order."""
    alive = [invoice for invoice in order.invoices if invoice.status != "void"]
    shows = {
        OwnStep.INVOICE: bool(alive),
        OwnStep.PAYMENT: bool(alive) and not any(invoice.balance for invoice in alive),
        OwnStep.PACKAGE: bool(order.packages) or not order.goods,
        OwnStep.SHIPMENT: all(package.shipment for package in order.packages)
        and bool(order.packages or not order.goods),
    }
    return all(shows[step] for step in steps)
