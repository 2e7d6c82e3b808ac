"""What changed of a payment that was carried already: turns taken, truth compared, the contact's person corrected."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.contact_book import ContactBook
from activities.dossier import Dossier, Written
from activities.effects import Once
from activities.shops import Shops
from activities.starts import PaymentStarter
from domain.corrections import ChangePlan, OrderRecalled, PersonInput, PersonSeen
from domain.disputes import DISPUTES
from domain.payments import PaymentFacts, PaymentStatus
from domain.policy import ORDER_ID_KEY
from domain.renewal import differs, renewed
from domain.runs import PaymentRef, StepDone
from domain.sales import InvoiceWritten, OrderInput, OrderWritten, ReceiptWritten
from domain.sweeps import REFUNDS

if TYPE_CHECKING:
    from clients.store import Effects

Answer = TypeVar("Answer", bound=BaseModel)
_TURN = "correct"
# A change that has not ended by then waits for a person, or its worker died; it compares anew when it goes on.
_LEASE = timedelta(minutes=10)


class ChangeActivities:
    """One change of a payment at a time, and none while the payment's own run is open."""

    def __init__(
        self,
        shops: Shops,
        dossier: Dossier,
        book: ContactBook,
        once: Once,
        effects: Effects,
        starter: PaymentStarter,
        now: Callable[[], datetime],
    ) -> None:
        self._shops = shops
        self._dossier = dossier
        self._book = book
        self._once = once
        self._effects = effects
        self._starter = starter
        self._now = now

    @activity.defn
    async def take_turn(self, wanted: PaymentRef) -> StepDone:
        """The right to correct the payment's documents; waits (by being retried) while somebody else has it.

        `asked` tells how often it was asked for: above 1, time has passed, and what was read before may be old.
        """
        is_open = await self._starter.is_open(wanted.connection, wanted.payment_id)
        if is_open:
            raise _later("the payment's own run is still open", "PaymentStillOpen")
        if is_open is None and await self._may_begin(wanted):
            raise _later("the payment's own run has not begun; the next sweep finds it", "PaymentNotBegun")
        owner = activity.info().workflow_id or ""
        row = wanted.connection, _TURN, wanted.payment_id
        effect = await self._effects.begin(*row, owner=owner, at=self._now(), lease=_LEASE)
        if effect.state == "held":
            raise _later("another change of the same payment is being carried over", "ChangeUnderWay")
        return StepDone(asked=activity.info().attempt)

    async def _may_begin(self, wanted: PaymentRef) -> bool:
        """Whether a refund or dispute came before its payment, whose webhook was lost: nothing is written yet."""
        patience = self._shops[wanted.connection].policy.sale_patience
        waited = self._now() - activity.info().scheduled_time
        if not wanted.change.startswith((*REFUNDS, *DISPUTES)) or waited >= patience:
            return False
        return not await self._once.did(wanted.connection, wanted.payment_id, "sales_order")

    @activity.defn
    async def end_turn(self, wanted: PaymentRef) -> StepDone:
        """Give the right to correct back."""
        owner = activity.info().workflow_id or ""
        await self._effects.withdraw(wanted.connection, _TURN, wanted.payment_id, owner=owner)
        return StepDone()

    @activity.defn
    async def plan_change(self, wanted: PaymentRef) -> ChangePlan:
        """How Stripe's truth of now differs from what was written; the draft of now is kept for what follows."""
        facts, _ = await self._dossier.fetch(wanted)
        plan = await self._documents(wanted, facts)
        if not plan.salesorder_id:
            return plan
        written = await self._dossier.written(wanted)
        if written is None:
            return plan.model_copy(update={"forgotten": True})
        return await self._compared(wanted, plan, written, facts)

    @activity.defn
    async def recall_order(self, wanted: PaymentRef) -> OrderRecalled:
        """The payment's order as it was written last; its draft is kept for what follows."""
        number = await self._once.rounds(wanted.connection, wanted.payment_id)
        sale = wanted.model_copy(update={"round": number, "change": ""})
        order = _read(OrderWritten, (await self._once.answers(sale)).get("sales_order"))
        written = await self._dossier.written(sale)
        if written is None:
            return OrderRecalled(salesorder_id=order.salesorder_id)
        known = {"order_ref": await self._dossier.keep_order(sale, written.draft), "round": number}
        return OrderRecalled(salesorder_id=order.salesorder_id, order=written.order.model_copy(update=known))

    @activity.defn
    async def find_person(self, wanted: PersonInput) -> PersonSeen:
        """The contact's person, and whether it says what the draft says."""
        draft = await self._dossier.order(wanted, wanted.order_ref)
        before = await self._dossier.written(wanted)
        email = before.draft.contact.email if before else draft.contact.email
        return await self._shops[wanted.connection].zoho.contact_person(wanted.contact_id, draft, email)

    @activity.defn
    async def update_person(self, wanted: PersonInput) -> StepDone:
        """Name, e-mail and phone of the contact's person as the draft says them."""
        draft = await self._dossier.order(wanted, wanted.order_ref)

        async def call() -> StepDone:
            zoho = self._shops[wanted.connection].zoho
            await zoho.update_contact_person(wanted.person_id, wanted.contact_id, draft)
            return StepDone()

        return await self._once.write("update_person", wanted, StepDone, call)

    @activity.defn
    async def see_person(self, wanted: PersonInput) -> StepDone | None:
        """Whether an update of the person, whose answer was lost, shows."""
        draft = await self._dossier.order(wanted, wanted.order_ref)
        zoho = self._shops[wanted.connection].zoho
        if not (await zoho.contact_person(wanted.contact_id, draft, draft.contact.email)).same:
            return None
        await self._once.adopt("update_person", wanted, StepDone())
        return StepDone()

    @activity.defn
    async def keep_change(self, wanted: OrderInput) -> StepDone:
        """What was corrected is what was written from now on; the contact is known by its new e-mail too."""
        draft = await self._dossier.order(wanted, wanted.order_ref)
        await self._dossier.keep_written(wanted, draft, wanted)
        await self._book.remember_key(wanted.connection, draft, wanted.contact_id)
        return StepDone()

    async def _compared(
        self, wanted: PaymentRef, plan: ChangePlan, written: Written, facts: PaymentFacts
    ) -> ChangePlan:
        draft = renewed(written.draft, written.facts, facts, self._shops[wanted.connection].mapping)
        found = differs(written.draft, draft)
        order_ref = await self._dossier.keep_order(wanted, draft)
        order = written.order.model_copy(update={"order_ref": order_ref, "round": plan.round, "change": wanted.change})
        return plan.model_copy(
            update={
                "order": order,
                "addressed": found.address,
                "fields": found.fields,
                "person": found.person,
            }
        )

    async def _documents(self, wanted: PaymentRef, facts: PaymentFacts) -> ChangePlan:
        """What Stripe holds, and which documents stand in Zoho for it."""
        number = await self._once.rounds(wanted.connection, wanted.payment_id)
        done = await self._once.answers(wanted.model_copy(update={"round": number, "change": ""}))
        return ChangePlan(
            money=facts.money,
            paid=facts.status is PaymentStatus.PAID,
            round=number,
            # Where our memory is gone, Stripe's metadata still names the order.
            salesorder_id=_read(OrderWritten, done.get("sales_order")).salesorder_id
            or facts.metadata.get(ORDER_ID_KEY, ""),
            invoice_id=_read(InvoiceWritten, done.get("invoice")).invoice_id,
            zoho_payment_id=_read(ReceiptWritten, done.get("customer_payment")).zoho_payment_id,
            fee=facts.fee.model_copy(update={"parts": ()}) if facts.fee else None,
        )


def _read(kind: type[Answer], answer: str | None) -> Answer:
    return kind.model_validate_json(answer or "{}")


def _later(why: str, kind: str) -> ApplicationError:
    return ApplicationError(why, type=kind, category=ApplicationErrorCategory.BENIGN)
