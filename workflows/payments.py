"""A Stripe payment's way to a confirmed, invoiced, paid sales order in Zoho."""

from __future__ import annotations

import asyncio
from functools import partial

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.catalogue import CatalogueActivities
    from activities.messages import MessageActivities
    from activities.orders import OrderActivities
    from activities.starts import StartActivities
    from activities.stripe import StripeActivities
    from domain.adjustments import AdjustInput
    from domain.changes import is_news, may_tell_fee
    from domain.fees import bookable
    from domain.money import Money
    from domain.notices import NotifyInput
    from domain.payments import Fee, PaymentStatus
    from domain.plans import LookUp, LookUpInput, LookUpKind, OrderPlan, PrepareInput
    from domain.policy import ORDER_ID_KEY, ORDER_NUMBER_KEY, Oversell, Ship
    from domain.runs import (
        FetchedPayment,
        PaymentEvent,
        PaymentInput,
        PaymentResult,
        Stage,
        StartPaymentInput,
        UndoKind,
        WriteBackInput,
    )
    from domain.sales import InvoiceWritten, OrderInput, OrderWritten, ReceiptWritten
    from domain.shipping import ShipmentWritten, shipment_metadata
    from workflows import contract
    from workflows.adjusting import adjust_stock
    from workflows.attended import Attended
    from workflows.contacts import settle_addresses, settle_contact
    from workflows.fees import book_fee
    from workflows.sales import Sale
    from workflows.shipping import Shipping
    from workflows.stock import Stock

_LOOK_UPS = {
    LookUpKind.ORGANIZATION: CatalogueActivities.describe_organization,
    LookUpKind.CURRENCIES: CatalogueActivities.list_currencies,
    LookUpKind.TAXES: CatalogueActivities.list_taxes,
    LookUpKind.ITEM: CatalogueActivities.find_item,
}


@workflow.defn(name=contract.PAYMENT_WORKFLOW)
class PaymentWorkflow(Attended):
    """One run a payment, whatever number of events speak of it; its id is the payment's.

    A step that cannot go on parks the run: it continues as new, waits for a person, and then tells the story again
    from the start. What is written already is known from its effect rows and written no second time.
    """

    @workflow.init
    def __init__(self, start: PaymentInput) -> None:
        super().__init__(start)
        self._heard = 0
        self._fee: Fee | None = None

    @workflow.run
    async def run(self, start: PaymentInput) -> PaymentResult:
        """From "something was paid" to "the order reads paid"."""
        try:
            await self._wait_for_answer()
            paid = await self._wait_until_paid()
            plan = await self._plan_order(paid)
            contact_id = await self._settle_contact(plan)
            wanted = await self._reserve(await self._address_order(plan, contact_id))
            sale = Sale(self._calls, wanted, self._undo, self._reach)
            order = await sale.order()
            invoice = await sale.invoice(order)
            await self._settle_stock(plan, wanted, order, invoice)
            receipt = await sale.record_payment(invoice, self._charges())
            shipment = await self._ship(wanted, order)
            await self._write_back(wanted, order, receipt, shipment)
            await self._tell_people(plan)
            await self._settle_fee(receipt)
            return await self._close(wanted, order, invoice, receipt, shipment)
        except (ApplicationError, ActivityError, asyncio.CancelledError) as error:
            await self._park(error)

    @workflow.signal(name=contract.PAYMENT_EVENT)
    def payment_event(self, event: PaymentEvent) -> None:
        """Stripe said something about this payment; the run reads from Stripe what is true."""
        self._events.append(event)

    async def _wait_until_paid(self) -> FetchedPayment:
        deadline = workflow.now() + self._start.policy.unpaid_patience
        while True:
            heard = len(self._events)
            fetched = await self._calls.read(
                StripeActivities.fetch_payment, self._ref, f"Read {self._start.payment_id} from Stripe"
            )
            self._total, self._lines = fetched.money, fetched.lines
            if fetched.status is PaymentStatus.PAID:
                self._heard, self._fee = heard, fetched.fee
                self._found["charge"] = fetched.charge_id
                self._ref = self._ref.model_copy(update={"round": fetched.round})
                return fetched
            if fetched.status is PaymentStatus.CANCELED:
                raise ApplicationError("the payment was canceled in Stripe", type="PaymentCanceled", non_retryable=True)
            self._reach(Stage.WAITING_FOR_MONEY, note=f"Stripe says {fetched.status.value}", index=True)
            await self._wait_for_event(heard, (deadline - workflow.now()).total_seconds())

    async def _wait_for_event(self, heard: int, seconds: float) -> None:
        try:
            await workflow.wait_condition(
                partial(self._hears_more, heard),
                timeout=max(seconds, 0),
                timeout_summary="Give up when no money has come by then",
            )
        except TimeoutError:
            raise ApplicationError(
                "the payment was not paid or captured within the policy's time; a later event starts it again",
                type="NotPaid",
                non_retryable=True,
            ) from None

    async def _plan_order(self, paid: FetchedPayment) -> OrderPlan:
        """The plan from our own memory; what memory lacks is asked of Zoho, each question once."""
        self._step = "plan"
        asked: tuple[LookUp, ...] = ()
        amendments = self._start.carried.amendments
        while True:
            wanted = PrepareInput(**dict(self._ref), facts_ref=paid.facts_ref, asked=asked, amendments=amendments)
            plan = await self._calls.local(OrderActivities.prepare_order, wanted, "Map and check the order")
            if plan.problems:
                raise ApplicationError(
                    " · ".join(problem.message for problem in plan.problems),
                    type=plan.problems[0].code,
                    non_retryable=True,
                )
            if not plan.lookups:
                self._reach(Stage.PREPARED)
                return plan
            for lookup in plan.lookups:
                await self._look_up(lookup)
            asked += plan.lookups

    async def _look_up(self, lookup: LookUp) -> None:
        question = f"Ask Zoho for {lookup.kind.value} {lookup.key}".strip()
        wanted = LookUpInput(connection=self._start.connection, lookup=lookup)
        await self._calls.zoho_read(_LOOK_UPS[lookup.kind], wanted, question)

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
        shipping = Shipping(self._calls, wanted, order, self._undo)
        shipment = await shipping.ship(look_first=self._start.carried.answers > 0)
        self._found |= {"package": shipment.package_ids[0], "shipment": shipment.shipment_id}
        by = " ".join(filter(None, ("by", shipment.carrier, shipment.tracking_number)))
        self._note(f"shipped as {shipment.number} " + (by if by != "by" else "without a tracking number"))
        return shipment

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
            **dict(self._ref),
            metadata=metadata,
            order_ref=wanted.order_ref,
            known=known,
        )
        summary = f"Write order {wanted.number} into the payment's metadata"
        await self._calls.write(StripeActivities.write_back, note, summary)

    async def _tell_people(self, plan: OrderPlan) -> None:
        """A message that cannot be delivered holds no payment up."""
        if plan.notify:
            message = f"{self._start.payment_id} · {plan.total} · order {plan.number} · paid"
            notice = NotifyInput(**dict(self._ref), message=message)
            await self._calls.tell(MessageActivities.notify_paid, notice, "Tell people that the order is paid")

    def _charges(self) -> Money | None:
        """What of the fee is to stand on the recorded payment; None where it is not known, or left to the payout."""
        if self._fee is None or self._total is None:
            return None
        return bookable(self._fee, self._total.currency, self._start.policy.foreign_fee).charges

    async def _settle_fee(self, receipt: ReceiptWritten) -> None:
        """The fee, if Stripe tells it within the policy's time; one that comes later is booked by a run of its own."""
        self._step = "fee"
        self._reach(Stage.PAID, payment=receipt.zoho_payment_id, index=True)
        if self._step in self._start.carried.skipped:
            return
        self._fee = self._fee or await self._await_fee()
        if self._fee is None or self._total is None:
            self._note("Stripe has not told its fee yet")
            return
        self._note(bookable(self._fee, self._total.currency, self._start.policy.foreign_fee).note)
        if charges := self._charges():
            await book_fee(self._calls, self._ref, receipt, charges)
        self._show()

    async def _await_fee(self) -> Fee | None:
        """Look when `charge.updated` comes, and once more when the patience ends."""
        deadline, heard = workflow.now() + self._start.policy.fee_patience, self._heard
        while True:
            told = await self._tells_fee(heard, (deadline - workflow.now()).total_seconds())
            heard = len(self._events)
            fee = await self._calls.read(StripeActivities.fetch_fee, self._ref, "Read what Stripe kept of the payment")
            if fee is not None or not told:
                return fee

    async def _tells_fee(self, heard: int, seconds: float) -> bool:
        try:
            await workflow.wait_condition(
                lambda: any(may_tell_fee(event.type, event.changed) for event in self._events[heard:]),
                timeout=max(seconds, 0),
                timeout_summary="Close without Stripe's fee when it has not come by then",
            )
        except TimeoutError:
            return False
        return True

    async def _hand_over(self) -> None:
        """What Stripe told since the payment was read, and may change what is written, gets a run of its own."""
        position = 0 if self._start.carried.undo else self._heard
        while position < len(self._events):
            event = self._events[position]
            position += 1
            if is_news(event.type, event.changed, fee_known=self._fee is not None):
                later = StartPaymentInput(connection=self._ref.connection, payment_id=self._ref.payment_id, event=event)
                await self._calls.write(StartActivities.start_change, later, f"Let {event.event_id} be carried over")

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
