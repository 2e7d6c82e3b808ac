"""A Stripe payment's way to a confirmed, invoiced, paid sales order in Zoho."""

from __future__ import annotations

import asyncio
from typing import NoReturn

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.contacts import ContactActivities
    from activities.disputes import DisputeActivities
    from activities.messages import MessageActivities
    from activities.orders import OrderActivities
    from activities.stripe import StripeActivities
    from domain.adjustments import AdjustInput
    from domain.fees import bookable
    from domain.money import Money
    from domain.notices import NotifyInput
    from domain.plans import OrderPlan
    from domain.policy import ORDER_ID_KEY, ORDER_NUMBER_KEY, DisputeHold, Oversell, Ship
    from domain.runs import (
        FetchedPayment,
        PaymentInput,
        PaymentRef,
        PaymentResult,
        RerunStep,
        Stage,
        UndoKind,
        WriteBackInput,
    )
    from domain.sales import InvoiceWritten, OrderInput, OrderWritten, ReceiptWritten
    from domain.shipping import ShipmentWritten, shipment_metadata, shipped_as
    from workflows import contract
    from workflows.adjusting import adjust_stock
    from workflows.compensation import UndoStack
    from workflows.contacts import settle_addresses, settle_contact
    from workflows.fees import book_fee
    from workflows.listening import Listening
    from workflows.planning import plan_order
    from workflows.recognising import Recognition, standing_input
    from workflows.sales import Sale
    from workflows.shipping import Shipping
    from workflows.stock import Stock

# What is the first to tell that something which we remembered is not there any more; it is forgotten then.
_MEETS_GONE = tuple(
    one.__name__
    for one in (OrderActivities.create_sales_order, ContactActivities.add_address, ContactActivities.read_addresses)
)


@workflow.defn(name=contract.PAYMENT_WORKFLOW)
class PaymentWorkflow(Listening):
    """One run a payment, whatever number of events speak of it; its id is the payment's.

    A step that cannot go on parks the run: it continues as new, waits for a person, and then tells the story again
    from the start. What is written already is known from its effect rows and written no second time.
    """

    @workflow.init
    def __init__(self, start: PaymentInput) -> None:
        super().__init__(start)
        self._documents = self._undo  # of those that we write; what people wrote is theirs to take back

    @workflow.run
    async def run(self, start: PaymentInput) -> PaymentResult:
        """From "something was paid" to "the order reads paid"."""
        try:
            await self._wait_for_answer()
            paid = await self._wait_until_paid()
            plan = await self._plan_order(paid)
            standing = await self._recognise(plan)
            wanted = await self._order_input(plan, standing)
            sale = Sale(self._calls, wanted, self._documents, self._reach, standing, self._start.rerun)
            order = await sale.order()
            invoice = await sale.invoice(order)
            await self._settle_stock(plan, wanted, order, invoice)
            receipt = await sale.record_payment(invoice, self._charges())
            shipment = await self._ship(wanted, order)
            await self._write_back(wanted, order, receipt, shipment)
            await self._tell_people(plan, shipment)
            await self._settle_fee(receipt, by_hand=sale.paid_by_hand)
            return await self._close(wanted, order, invoice, receipt, shipment)
        except (ApplicationError, ActivityError, asyncio.CancelledError) as error:
            await self._park(error)

    async def _plan_order(self, paid: FetchedPayment) -> OrderPlan:
        self._step = "plan"
        plan = await plan_order(self._calls, self._ref, paid.facts_ref, self._start.carried.amendments)
        self._reach(Stage.PREPARED)
        return plan

    async def _recognise(self, plan: OrderPlan) -> OrderWritten | None:
        """The order of a payment from before that somebody entered by hand; a live payment is not looked for."""
        if not self._start.backfilled:
            return None
        self._step = "recognise"
        found = await Recognition(self._calls, self._ref, plan, self._found["charge"]).order(self._start.carried)
        if found is not None:
            self._found["adopted"] = found.number
            self._documents = UndoStack()
            self._note(f"order {found.number} was entered by hand and is taken as this payment's")
        return found

    async def _order_input(self, plan: OrderPlan, standing: OrderWritten | None) -> OrderInput:
        """What the documents are written from; an order that stands has its contact and took its goods."""
        if standing is None:
            return await self._reserve(await self._address_order(plan, await self._settle_contact(plan)))
        return standing_input(self._ref, plan, standing)

    async def _settle_contact(self, plan: OrderPlan) -> str:
        self._step = "contact"
        return await settle_contact(self._calls, self._ref, plan)

    async def _address_order(self, plan: OrderPlan, contact_id: str) -> OrderInput:
        assert plan.total is not None
        return OrderInput(
            **dict(self._ref),
            order_ref=plan.order_ref,
            number=plan.number,
            total=plan.total,
            contact_id=contact_id,
            addresses=await settle_addresses(self._calls, self._ref, plan, contact_id),
            item_ids=plan.item_ids,
            tax_ids=plan.tax_ids,
            exchange_rate=plan.exchange_rate,
        )

    async def _reserve(self, wanted: OrderInput) -> OrderInput:
        """The order's goods, where the policy does not sell beyond stock; there is nothing to undo yet."""
        self._step = "stock"
        if self._start.policy.oversell is Oversell.GO_ON:
            return wanted
        reserved = await Stock(self._calls, wanted).reserve(beyond=self._step in self._start.carried.skipped)
        if reserved.backordered:
            self._note(f"backordered: {', '.join(reserved.backordered)}")
        self._step = "order"
        return reserved

    async def _settle_stock(
        self, plan: OrderPlan, wanted: OrderInput, order: OrderWritten, invoice: InvoiceWritten
    ) -> None:
        """The documents move the stock, and an adjustment only what they do not: parts of sets, gifts."""
        if invoice.short_items:
            self._note(f"sold beyond stock: {', '.join(invoice.short_items)}")
        if not plan.parts:
            return
        if "adopted" in self._found:
            self._note("parts of sets, or gifts, are left to whoever entered the order")
            return
        self._step = "adjust"
        if self._step in self._start.carried.skipped:
            self._note("no part of a set and no gift was taken out of stock: left out")
            return
        self._undo.register(UndoKind.RESTORE_STOCK)
        parts = AdjustInput(**dict(self._ref), order_ref=wanted.order_ref, sets=plan.sets, parts=plan.parts)
        made = await adjust_stock(self._calls, parts, look_first=bool(order.invoices))
        self._found["adjustment"] = made.adjustment_id
        waits = f", which waits in Zoho as {made.status}" if made.status not in ("", "adjusted") else ""
        self._note(f"parts of sets, or gifts, taken out of stock by an adjustment{waits}")
        self._step = "receipt"

    async def _ship(self, wanted: OrderInput, order: OrderWritten) -> ShipmentWritten | None:
        """Package and shipment where the policy wants them, or where the organisation made them by itself."""
        self._step = "ship"
        if self._start.policy.ship is Ship.NEVER and not any(package.shipment for package in order.packages):
            return None
        if wanted.backordered and not any(package.shipment for package in order.packages):
            self._note("not shipped: backordered; ship it in Zoho once there is stock")
            return None
        if self._step in self._start.carried.skipped or not order.goods:
            self._note("not shipped: " + ("left out" if order.goods else "nothing in it is goods"))
            return None
        left = "shipment" in self._found or any(package.shipment for package in order.packages)
        if not left and (disputes := await self._disputed()):
            self._note(f"not shipped: {disputes}; ship it in Zoho once that is won or dropped")
            return None
        anew = self._start.rerun.change(RerunStep.SHIP)
        wanted = wanted.model_copy(update={"change": anew})
        shipping = Shipping(self._calls, wanted, order, self._documents)
        shipment = await shipping.ship(look_first=self._start.carried.answers > 0 or bool(anew))
        self._found |= {"package": shipment.package_ids[0], "shipment": shipment.shipment_id}
        self._note(f"shipped as {shipped_as(shipment)}")
        return shipment

    async def _disputed(self) -> str:
        """The disputes for whose sake the goods stay, "" for none; whoever has the goods, a lost one never pays."""
        if self._start.policy.dispute_hold is DisputeHold.GO_ON or not workflow.patched(contract.SHIP_UNDISPUTED):
            return ""
        summary = f"See whether {self._start.payment_id} is disputed"
        found = await self._calls.read(DisputeActivities.find_disputes, self._ref, summary)
        return ", ".join(f"dispute {one}" for one in found.holding)

    def _note(self, said: str) -> None:
        """Keep what people should know; a story that is told again after an answer does not say it twice."""
        if said not in self._notes:
            self._notes.append(said)

    async def _write_back(
        self, wanted: OrderInput, order: OrderWritten, receipt: ReceiptWritten, shipment: ShipmentWritten | None
    ) -> None:
        self._step = "write_back"
        if self._step in self._start.carried.skipped:
            return
        self._undo.register(UndoKind.CLEAR_METADATA)
        known = {
            "contact_id": wanted.contact_id,
            "invoice_id": self._found["invoice"],
            "zoho_payment_id": receipt.zoho_payment_id,
        }
        metadata = {ORDER_ID_KEY: order.salesorder_id, ORDER_NUMBER_KEY: wanted.number}
        metadata |= shipment_metadata(shipment, self._start.policy.shipment_keys)
        note = WriteBackInput(
            **dict(self._ref_at(RerunStep.WRITE_BACK)),
            metadata=metadata,
            order_ref=wanted.order_ref,
            known=known,
        )
        summary = f"Write order {wanted.number} into the payment's metadata"
        await self._calls.write(StripeActivities.write_back, note, summary)

    async def _tell_people(self, plan: OrderPlan, shipment: ShipmentWritten | None) -> None:
        """A message that cannot be delivered holds no payment up."""
        if plan.notify and not self._start.backfilled:
            shipped = f" · shipped as {shipped_as(shipment)}" if shipment else ""
            message = f"{self._start.payment_id} · {plan.total} · order {plan.number} · paid{shipped}"
            notice = NotifyInput(**dict(self._ref), message=message)
            await self._calls.tell(MessageActivities.notify_paid, notice, "Tell people that the order is paid")

    def _charges(self) -> Money | None:
        """What of the fee is to stand on the recorded payment; None where it is not known, or left to the payout."""
        if self._fee is None or self._total is None:
            return None
        return bookable(self._fee, self._total.currency, self._start.policy.foreign_fee).charges

    async def _settle_fee(self, receipt: ReceiptWritten, *, by_hand: bool = False) -> None:
        """The fee, if Stripe tells it within the policy's time; one that comes later is booked by a run of its own."""
        self._step = "fee"
        self._reach(Stage.PAID, payment=receipt.zoho_payment_id, index=True)
        if self._step in self._start.carried.skipped:
            return
        if by_hand:
            self._note("the payment was recorded by hand and stays as it is: Stripe's fee is not put on it")
            return
        self._fee = self._fee or await self._await_fee()
        if self._fee is None or self._total is None:
            self._note("Stripe has not told its fee yet")
            return
        self._note(bookable(self._fee, self._total.currency, self._start.policy.foreign_fee).note)
        if charges := self._charges():
            ref = self._ref_at(RerunStep.FEE)
            receipt = receipt.model_copy(update={"record": None}) if ref.change else receipt
            await book_fee(self._calls, ref, receipt, charges)
        self._show()

    def _ref_at(self, step: RerunStep) -> PaymentRef:
        """The payment for a step, whose effects are kept apart where it is told anew."""
        return self._ref.model_copy(update={"change": self._start.rerun.change(step)})

    async def _park(self, error: ApplicationError | ActivityError | asyncio.CancelledError) -> NoReturn:
        """Where a contact or an item that we knew is gone in Zoho, the story is told again, once: it asks anew."""
        if _is_gone(error) and not self._start.carried.planned_anew and workflow.patched(contract.PLANS_ANEW):
            self._note("a contact or an item that we knew is gone in Zoho: asked anew")
            carried = self._start.carried.model_copy(update={"planned_anew": True})
            self._start = self._start.model_copy(update={"carried": carried})
            await workflow.wait_condition(workflow.all_handlers_finished)
            self._continue(reminders=0)
        await super()._park(error)

    async def _close(
        self,
        wanted: OrderInput,
        order: OrderWritten,
        invoice: InvoiceWritten,
        receipt: ReceiptWritten,
        shipment: ShipmentWritten | None,
    ) -> PaymentResult:
        await workflow.wait_condition(workflow.all_handlers_finished)
        await self._hand_over()
        return PaymentResult(
            salesorder_id=order.salesorder_id,
            number=wanted.number,
            invoice_id=invoice.invoice_id,
            zoho_payment_id=receipt.zoho_payment_id,
            contact_id=wanted.contact_id,
            total=wanted.total,
            shipment_id=shipment.shipment_id if shipment else "",
            tracking_number=shipment.tracking_number if shipment else "",
        )


def _is_gone(error: BaseException) -> bool:
    cause = error.cause if isinstance(error, ActivityError) and error.activity_type in _MEETS_GONE else None
    return isinstance(cause, ApplicationError) and cause.type == "NotFound"
