"""Orders that the shop entered by hand before a backfill came: recognised, and adopted instead of doubled."""

from __future__ import annotations

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.contacts import ContactActivities
    from activities.orders import OrderActivities
    from domain.hand_orders import AdoptInput, FoundBy, HandOrders, HandQuery, OrderRow, said
    from domain.money import Money
    from domain.payers import ContactInput
    from domain.plans import OrderPlan
    from domain.runs import Carried, PaymentRef
    from domain.sales import OrderInput, OrderWritten
    from workflows.calls import Calls

STEP = "recognise"


class Recognition:
    """Looks for one payment's order. What names the payment is adopted; about what is only alike a person is asked."""

    def __init__(self, calls: Calls, ref: PaymentRef, plan: OrderPlan, charge_id: str) -> None:
        assert plan.total is not None
        self._calls = calls
        self._ref = ref
        self._plan = plan
        self._total: Money = plan.total
        self._charge_id = charge_id
        self._own = False  # whether the order that we wrote stands

    async def order(self, carried: Carried) -> OrderWritten | None:
        """The order that is there already; None where a new one is to be written. ApplicationError asks a person."""
        if carried.adopted:
            return await self._adopt(carried.adopted)
        if STEP in carried.skipped:
            return None
        found = await self._named()
        if found is None and not self._own:
            found = await self._of_customer()
        return await self._adopt(found.salesorder_id) if found else None

    async def _named(self) -> OrderRow | None:
        """By the payment's id, then by the numbers that its metadata hold."""
        asked = [(FoundBy.REFERENCE, self._ref.payment_id)]
        if self._calls.policy.order_number_keys:
            summary = "Ask the payment's metadata for an order number"
            known = await self._calls.local(OrderActivities.known_numbers, self._ref, summary)
            asked += [(FoundBy.NUMBER, number) for number in known.numbers]
        for found_by, words in asked:
            found = await self._ask(found_by, words, f"Look for an order with the {found_by.value} {words}")
            if found.sure is not None:
                return self._with_our_total(found.sure, found_by)
            self._own = self._own or found.own
        return None

    async def _of_customer(self) -> OrderRow | None:
        """By customer, amount and date; a payer whom Zoho does not know has no orders there."""
        contact_id = self._plan.contact_id or await self._find_contact()
        if not contact_id:
            return None
        found = await self._ask(FoundBy.CUSTOMER, contact_id, "Look for an order of the customer over this amount")
        if found.sure is not None:
            return self._with_our_total(found.sure, FoundBy.REFERENCE)
        if not found.alike:
            return None
        named = [{"number": row.number, "salesorder_id": row.salesorder_id} for row in found.alike]
        raise ApplicationError(
            f"Zoho has an order of this customer over {self._total}, made within three days of the payment: "
            f"{'; '.join(map(said, found.alike))}. Is it this payment's? adopt takes it, skip creates a new one, abort "
            "leaves the payment alone",
            {"orders": named},
            type="OrderByHand",
            non_retryable=True,
        )

    async def _find_contact(self) -> str:
        wanted = ContactInput(**dict(self._ref), order_ref=self._plan.order_ref)
        found = await self._calls.zoho_read(ContactActivities.find_contact, wanted, "Look for the payer's contact")
        return found.contact_id

    def _with_our_total(self, row: OrderRow, found_by: FoundBy) -> OrderRow:
        if row.total == self._total:
            return row
        raise ApplicationError(
            f"Zoho has {said(row)} with this payment's {found_by.value}, and Stripe took {self._total}; correct the "
            "order in Zoho, then retry; skip creates a new one beside it",
            type="OrderByHand",
            non_retryable=True,
        )

    async def _adopt(self, salesorder_id: str) -> OrderWritten:
        wanted = AdoptInput(
            **dict(self._ref),
            salesorder_id=salesorder_id,
            order_ref=self._plan.order_ref,
            item_ids=self._plan.item_ids,
            total=self._total,
        )
        order = await self._calls.zoho_read(
            OrderActivities.adopt_sales_order, wanted, "Take the order that somebody entered as this payment's"
        )
        if not order.taken:
            return order
        raise ApplicationError(
            f"order {order.number} cannot be taken as this payment's: it is void, or another payment's, or comes to "
            "another total, or has other lines and no invoice; correct or invoice it in Zoho, then retry; skip creates "
            "a new order beside it",
            type="OrderByHand",
            non_retryable=True,
        )

    async def _ask(self, found_by: FoundBy, words: str, summary: str) -> HandOrders:
        wanted = HandQuery(
            **dict(self._ref),
            found_by=found_by,
            words=words,
            order_ref=self._plan.order_ref,
            total=self._total,
            charge_id=self._charge_id,
        )
        return await self._calls.zoho_read(OrderActivities.find_orders_by_hand, wanted, summary)


def standing_input(ref: PaymentRef, plan: OrderPlan, standing: OrderWritten) -> OrderInput:
    """What the further documents of an order that people entered are written from: it has its contact and addresses."""
    assert plan.total is not None
    return OrderInput(
        **dict(ref),
        order_ref=plan.order_ref,
        number=standing.number,
        total=plan.total,
        contact_id=standing.contact_id,
        item_ids=plan.item_ids,
        tax_ids=plan.tax_ids,
        exchange_rate=plan.exchange_rate,
    )
