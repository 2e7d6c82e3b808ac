"""The undo stack: registered before each step, as data, and taken back in reverse, each undo seen to have worked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import NoReturn

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.invoices import InvoiceActivities
    from activities.messages import MessageActivities
    from activities.orders import OrderActivities
    from activities.receipts import ReceiptActivities
    from activities.stripe import StripeActivities
    from domain.money import Money
    from domain.policy import ORDER_ID_KEY, ORDER_NUMBER_KEY
    from domain.runs import PaymentRef, StepDone, UndoKind, WriteBackInput
    from domain.sales import DocumentRef, InvoiceWritten, OrderNumber, OrderWritten
    from workflows.adjusting import restore_stock
    from workflows.calls import Calls
    from workflows.unshipping import Unshipping


class UndoStack:
    """What was begun, in order. An undo is registered before its step, so it must bear that nothing happened."""

    def __init__(self, kinds: tuple[UndoKind, ...] = ()) -> None:
        self._kinds = list(kinds)

    @property
    def kinds(self) -> tuple[UndoKind, ...]:
        """The stack as data."""
        return tuple(self._kinds)

    def register(self, kind: UndoKind) -> None:
        """The step that `kind` takes back is about to be done."""
        if kind not in self._kinds:
            self._kinds.append(kind)

    def pop(self) -> UndoKind | None:
        """The last one, which is not to be done again."""
        return self._kinds.pop() if self._kinds else None


class TakeBack:
    """Takes one payment's documents back: looks what stands, undoes it, looks again. Money in Stripe is not touched."""

    def __init__(self, calls: Calls, ref: PaymentRef, number: str, total: Money) -> None:
        self._calls = calls
        self._ref = ref
        self._number = number
        self._total = total

    async def run(self, stack: UndoStack) -> None:
        """Undo everything of `stack`, last first. ApplicationError `UndoFailed` says what stands."""
        while stack.kinds:
            kind = stack.kinds[-1]
            try:
                await self._undo(kind)
            except (ActivityError, ApplicationError) as error:
                _stands(kind, self._number, error)
            stack.pop()
        await self._calls.write(MessageActivities.close_round, self._ref, "Keep that everything was taken back")

    async def _undo(self, kind: UndoKind) -> None:
        if kind is UndoKind.CLEAR_METADATA:
            await self._clear_metadata()
        elif kind is UndoKind.VOID_SALES_ORDER:
            await self._void_order()
        elif kind is UndoKind.RESTORE_STOCK:
            await restore_stock(self._calls, self._document(""))
        elif order := await self._find_order():
            await self._undo_at_order(kind, order)

    async def _undo_at_order(self, kind: UndoKind, order: OrderWritten) -> None:
        unshipping = Unshipping(self._calls, self._document(order.salesorder_id))
        if kind is UndoKind.DELETE_SHIPMENT:
            return await unshipping.delete_shipments(order.packages)
        if kind is UndoKind.DELETE_PACKAGE:
            return await unshipping.delete_packages(order.packages)
        for invoice in order.invoices:
            if invoice.status != "void":
                await self._undo_at_invoice(kind, invoice)

    async def _undo_at_invoice(self, kind: UndoKind, invoice: InvoiceWritten) -> None:
        if kind is UndoKind.DELETE_PAYMENT:
            await self._delete_payments(invoice)
        else:
            await self._void_invoice(invoice)

    async def _find_order(self) -> OrderWritten | None:
        """The order with its invoices; a slow write of it may show late."""
        wanted = OrderNumber(**dict(self._ref), number=self._number)

        async def look() -> OrderWritten | None:
            return await self._calls.zoho_read(
                OrderActivities.find_sales_order, wanted, f"Look what stands of {self._number}"
            )

        found = await self._calls.look_twice(look, "sales order")
        if found is None:
            return None
        return await self._calls.zoho_read(
            OrderActivities.read_sales_order, self._document(found.salesorder_id), f"Read {self._number}"
        )

    async def _delete_payments(self, invoice: InvoiceWritten) -> None:
        target = self._document(invoice.invoice_id)
        summary = f"See what was paid on invoice {invoice.number}"
        now = await self._calls.zoho_read(InvoiceActivities.read_invoice, target, summary)
        for payment_id in now.payment_ids:
            await self._settle(
                lambda wanted: self._calls.zoho_undo(
                    ReceiptActivities.delete_payment, wanted, f"Take the payment on {invoice.number} back"
                ),
                self._document(payment_id),
                partial(_is_gone, payment_id),
                target.model_copy(update={"deleted": (payment_id,)}),
            )

    async def _void_invoice(self, invoice: InvoiceWritten) -> None:
        target = self._document(invoice.invoice_id)
        await self._settle(
            lambda wanted: self._calls.zoho_undo(
                InvoiceActivities.void_invoice, wanted, f"Void invoice {invoice.number}: stock returns"
            ),
            target,
            lambda after: after.status == "void",
            target,
        )

    async def _settle(
        self,
        write: Callable[[DocumentRef], Awaitable[StepDone]],
        wanted: DocumentRef,
        gone: Callable[[InvoiceWritten], bool],
        target: DocumentRef,
    ) -> None:
        """Write once and see on the invoice that it worked."""

        async def look() -> StepDone | None:
            now = await self._calls.zoho_read(InvoiceActivities.read_invoice, target, "See that it was taken back")
            return StepDone() if gone(now) else None

        async def once(after: int) -> StepDone:
            return await write(wanted.model_copy(update={"after": after}))

        await self._calls.settle(once, look, "undo")
        if await look() is None:
            raise ApplicationError("Zoho says yes, but it still stands", type="UndoFailed", non_retryable=True)

    async def _void_order(self) -> None:
        order = await self._find_order()
        if order is None:
            return
        target = self._document(order.salesorder_id)

        async def look() -> StepDone | None:
            now = await self._calls.zoho_read(
                OrderActivities.read_sales_order, target, f"See that {self._number} is void"
            )
            return StepDone() if now.status == "void" else None

        async def write(after: int) -> StepDone:
            return await self._calls.zoho_undo(
                OrderActivities.void_sales_order,
                target.model_copy(update={"after": after}),
                f"Void sales order {self._number}",
            )

        await self._calls.settle(write, look, "undo")
        if await look() is None:
            raise ApplicationError("Zoho says yes, but it still stands", type="UndoFailed", non_retryable=True)

    async def _clear_metadata(self) -> None:
        keys = (ORDER_ID_KEY, ORDER_NUMBER_KEY, *self._calls.policy.shipment_keys.named())
        await self._calls.write(
            StripeActivities.clear_metadata,
            WriteBackInput(**dict(self._ref), metadata=dict.fromkeys(keys, "")),
            "Take the order's id out of the payment's metadata",
        )

    def _document(self, document_id: str) -> DocumentRef:
        return DocumentRef(**dict(self._ref), document_id=document_id, total=self._total)


def _is_gone(payment_id: str, after: InvoiceWritten) -> bool:
    return payment_id not in after.payment_ids


def _stands(kind: UndoKind, number: str, error: BaseException) -> NoReturn:
    what = {
        UndoKind.CLEAR_METADATA: "the order's id in Stripe's metadata",
        UndoKind.DELETE_SHIPMENT: "the shipment, and the stock it moved,",
        UndoKind.DELETE_PACKAGE: "the package",
        UndoKind.RESTORE_STOCK: "the adjustment of stock",
        UndoKind.DELETE_PAYMENT: "the payment recorded in Zoho",
        UndoKind.VOID_INVOICE: "the invoice, and the stock it moved,",
        UndoKind.VOID_SALES_ORDER: "the sales order",
    }[kind]
    cause = error.cause if isinstance(error, ActivityError) else error
    raise ApplicationError(
        f"{what} of {number} could not be taken back and still stands, with everything before it: {cause}",
        type="UndoFailed",
        non_retryable=True,
    ) from None
