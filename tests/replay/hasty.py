"""A careless change of the payment's story, to hear the alarm ring."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.runs import PaymentInput, PaymentResult
    from workflows import contract
    from workflows.contacts import settle_contact
    from workflows.payments import PaymentWorkflow
    from workflows.sales import Sale


@workflow.defn(name=contract.PAYMENT_WORKFLOW)
class HastyWorkflow(PaymentWorkflow):
    """What a careless change would be: the invoice before the confirmation."""

    @workflow.run
    async def run(self, start: PaymentInput) -> PaymentResult:
        """The story in the wrong order."""
        paid = await self._wait_until_paid()
        plan = await self._plan_order(paid)
        wanted = await self._address_order(plan, await settle_contact(self._calls, self._ref, plan))
        sale = Sale(self._calls, wanted, self._undo)
        order = await sale.write_order()
        invoice = await sale.write_invoice(order)
        await sale.confirm(order)
        return await self._close(wanted, order, invoice, await sale.record_payment(invoice))
