"""A careless change of the payment's story, to hear the alarm ring."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.runs import PaymentInput, PaymentResult
    from domain.sales import OrderWritten
    from workflows import contract
    from workflows.contacts import settle_contact
    from workflows.payments import PaymentWorkflow
    from workflows.sales import Sale


class HastySale(Sale):
    """The invoice before the confirmation."""

    async def order(self) -> OrderWritten:
        """The steps in the wrong order."""
        order = await self._write_order()
        await self._write_invoice(order)
        await self._confirm(order)
        return order


@workflow.defn(name=contract.PAYMENT_WORKFLOW)
class HastyWorkflow(PaymentWorkflow):
    """What a careless change would be."""

    @workflow.run
    async def run(self, start: PaymentInput) -> PaymentResult:
        """The story in the wrong order."""
        paid = await self._wait_until_paid()
        plan = await self._plan_order(paid)
        wanted = await self._address_order(plan, await settle_contact(self._calls, self._ref, plan))
        sale = HastySale(self._calls, wanted, self._undo, self._reach)
        order = await sale.order()
        invoice = await sale.invoice(order)
        return await self._close(wanted, order, invoice, await sale.record_payment(invoice), None)
