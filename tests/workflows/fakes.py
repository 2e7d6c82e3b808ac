"""Activities that write down what they are asked and answer from a script; names and shapes are the real ones."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.worker import Worker

from domain.adjustments import AdjustInput, AdjustmentsFound, AdjustmentsLook, AdjustmentWritten, SetsFound
from domain.corrections import ChangeInput, ChangePlan, CustomerPayments, OrderCorrection, PersonInput, PersonSeen
from domain.credits import (
    CreditDocument,
    CreditInput,
    CreditQuery,
    CreditWritten,
    PaidOut,
    PayOutInput,
    Sold,
    SoldLine,
)
from domain.disputes import DisputeFacts, DisputeNamed, DisputeRef, DisputeStatus, StartDisputeInput
from domain.documents import OrderDocumentLine, ReceiptRecord, Share
from domain.money import Money
from domain.notices import AnswerRecord, AttentionNotice, NotifyInput, Told
from domain.numbers import order_number
from domain.payers import (
    AddressInput,
    AddressPlan,
    AddressPlanInput,
    AddressWritten,
    ContactClaim,
    ContactInput,
    ContactWritten,
)
from domain.payments import Fee, PaymentStatus
from domain.plans import LookUpInput, OrderPlan, PrepareInput
from domain.policy import PaymentPolicy
from domain.receipts import FeeInput, ReceiptFound, ReceiptQuery
from domain.refunds import (
    FetchedRefund,
    MarkInput,
    RefundInput,
    RefundNamed,
    RefundRef,
    RefundsResolved,
    RefundStatus,
    StartRefundInput,
)
from domain.runs import (
    FetchedPayment,
    HoldLetGo,
    PaymentEvent,
    PaymentInput,
    PaymentRef,
    ResolvedPayment,
    ResolveInput,
    StartPaymentInput,
    StepDone,
    WriteBackInput,
)
from domain.sales import (
    DocumentRef,
    InvoiceInput,
    InvoiceWritten,
    OrderInput,
    OrderNumber,
    OrderWritten,
    ReceiptInput,
    ReceiptWritten,
)
from domain.shipping import PackageInput, PackagesFound, PackagesLook, PackageWritten, ShipmentInput, ShipmentWritten
from domain.stock import StockAnswer, StockInput
from workflows import contract
from workflows.workers import WORKFLOWS

TOTAL = Money.of(4990, "EUR")
GOODS = (OrderDocumentLine(line_item_id="l-1", item_id="i-1", quantity=Decimal(1), stocked=True),)
FEE = Fee(transaction_id="txn_1", amount=Money.of(175, "EUR"))
RECORD = ReceiptRecord(
    zoho_payment_id="pay-1",
    contact_id="c-1",
    mode="Stripe",
    amount=TOTAL,
    day=date(2026, 11, 23),
    shares=(Share(invoice_id="in-1", amount=TOTAL),),
    bank_charges=FEE.amount,
)
REFUND = FetchedRefund(
    refund_id="re_1",
    payment_id="pi_1",
    money=TOTAL,
    status=RefundStatus.SUCCEEDED,
    at=datetime(2026, 11, 26, tzinfo=UTC),
    captured=TOTAL,
    salesorder_id="so-1",
)
SOLD = Sold(
    salesorder_id="so-1",
    status="confirmed",
    contact_id="c-1",
    invoice_id="in-1",
    zoho_payment_id="pay-1",
    lines=(SoldLine(line_item_id="il-1", item_id="i-1", net=Decimal("49.90")),),
)
DISPUTE = DisputeFacts(
    dispute_id="du_1",
    payment_id="pi_1",
    charge_id="ch_1",
    money=TOTAL,
    status=DisputeStatus.WON,
    reason="fraudulent",
    opened=datetime(2026, 11, 26, tzinfo=UTC),
)
NOTE = CreditWritten(creditnote_id="cn-1", number="CN-1", status="open", total=TOTAL)
QUICK = PaymentPolicy(
    unpaid_patience=timedelta(milliseconds=400),
    settle_wait=timedelta(milliseconds=20),
    contact_lease=timedelta(seconds=1),
    first_retry=timedelta(milliseconds=10),
    longest_retry=timedelta(milliseconds=50),
    call_timeout=timedelta(seconds=5),
    fee_patience=timedelta(milliseconds=100),
    tell_after=timedelta(milliseconds=20),
    refund_patience=timedelta(milliseconds=400),
)
ANSWERS: dict[str, Any] = {
    "fetch_payment": FetchedPayment(
        status=PaymentStatus.PAID, money=TOTAL, charge_id="ch_1", facts_ref="facts", fee=FEE
    ),
    "fetch_fee": None,
    "create_sales_order": OrderWritten(
        salesorder_id="so-1", status="draft", total=TOTAL, reference="", line_item_ids=("l-1",), goods=GOODS
    ),
    "find_sales_order": None,
    "read_sales_order": OrderWritten(salesorder_id="so-1", status="confirmed", total=TOTAL, line_item_ids=("l-1",)),
    "confirm_sales_order": StepDone(),
    "void_sales_order": StepDone(),
    "create_invoice": InvoiceWritten(invoice_id="in-1", number="INV-1", status="draft", total=TOTAL, balance=TOTAL),
    "find_invoice": None,
    "read_invoice": InvoiceWritten(invoice_id="in-1", number="INV-1", status="sent", total=TOTAL, balance=TOTAL),
    "mark_invoice_sent": StepDone(),
    "record_payment": ReceiptWritten(zoho_payment_id="pay-1", balance=TOTAL.zero(), record=RECORD),
    "find_receipt": ReceiptFound(zoho_payment_id="pay-1"),
    "read_receipt": RECORD,
    "book_fee": StepDone(),
    "find_fee": None,
    "find_payment": None,
    "write_back": StepDone(),
    "notify_paid": StepDone(),
    "note_waiting": StepDone(),
    "tell_attention": Told(),
    "tell_resolved": StepDone(),
    "record_answer": StepDone(),
    "close_round": StepDone(),
    "clear_metadata": StepDone(),
    "let_go_of_hold": HoldLetGo(status=PaymentStatus.CANCELED),
    "create_package": PackageWritten(package_id="pk-1", number="PKG-1"),
    "create_shipment": ShipmentWritten(shipment_id="sh-1", number="SH-1", status="shipped", package_ids=("pk-1",)),
    "find_packages": PackagesFound(),
    "delete_package": StepDone(),
    "delete_shipment": StepDone(),
    "void_invoice": StepDone(),
    "delete_payment": StepDone(),
    "reserve_stock": StockAnswer(),
    "sell_beyond_stock": StockAnswer(beyond=True),
    "release_stock": None,
    "check_sets": SetsFound(),
    "adjust_stock": AdjustmentWritten(adjustment_id="ad-1", status="adjusted"),
    "find_adjustments": AdjustmentsFound(),
    "restore_stock": StepDone(),
    "claim_contact": ContactClaim(mine=True),
    "release_contact": None,
    "find_contact": ContactWritten(),
    "create_contact": ContactWritten(contact_id="c-1"),
    "plan_addresses": AddressPlan(billing_address_id="a-1"),
    "add_address": AddressWritten(address_id="a-9"),
    "find_address": None,
    "describe_organization": None,
    "list_currencies": None,
    "list_taxes": None,
    "find_item": None,
    "resolve_payment": ResolvedPayment(payment_id="pi_found"),
    "start_payment": None,
    "start_change": None,
    "resolve_customer": CustomerPayments(payment_ids=("pi_found",)),
    "take_turn": StepDone(),
    "end_turn": StepDone(),
    "plan_change": ChangePlan(money=TOTAL, paid=True),
    "keep_change": StepDone(),
    "find_person": PersonSeen(person_id="cp-1"),
    "update_person": StepDone(),
    "see_person": None,
    "update_sales_order": OrderWritten(salesorder_id="so-1", status="confirmed", total=TOTAL),
    "find_correction": None,
    "fetch_refund": REFUND,
    "resolve_refunds": RefundsResolved(refunds=(RefundNamed(refund_id="re_1", payment_id="pi_1"),)),
    "start_refund": None,
    "mark_refund": StepDone(),
    "unmark_refund": StepDone(),
    "fetch_dispute": DISPUTE,
    "notify_dispute": StepDone(),
    "resolve_dispute": DisputeNamed(dispute_id="du_1", payment_id="pi_1"),
    "start_dispute": None,
    "notify_refund": StepDone(),
    "find_sale": SOLD,
    "read_sale": SOLD,
    "read_sold_lines": SOLD,
    "find_account": lambda wanted: wanted.model_copy(update={"account_id": "900"}),
    "create_credit_note": NOTE,
    "find_credit_note": None,
    "pay_out": PaidOut(zoho_refund_id="cr-1"),
    "find_paid_out": None,
    "delete_credit_refund": StepDone(),
    "void_credit_note": StepDone(),
}
Answer = TypeVar("Answer")


def known_plan(payment_id: str, **changes: Any) -> OrderPlan:
    """The plan of a known customer's order of one known item."""
    plan = OrderPlan(
        number=order_number(payment_id),
        order_ref="order",
        mapping_hash="hash",
        total=TOTAL,
        item_ids=("i-1",),
        tax_ids=("",),
        contact_id="c-1",
        addresses=AddressPlan(billing_address_id="a-1"),
    )
    return plan.model_copy(update=changes)


@dataclass
class Script:
    """What was asked, in order, and what to answer: a value, a list of values one after the other, or a function.

    An exception among the answers is raised.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def names(self) -> list[str]:
        """The activities that ran, in order."""
        return [name for name, _ in self.asked]

    def inputs(self, name: str) -> list[Any]:
        """What one activity was asked."""
        return [arg for asked, arg in self.asked if asked == name]

    def answer(self, name: str, arg: Any) -> Any:
        """The next answer of `name`."""
        self.asked.append((name, arg))
        answer = self.answers.get(name, ANSWERS.get(name))
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if callable(answer):
            answer = answer(arg)
        if isinstance(answer, Exception):
            raise answer
        return answer


def activities(script: Script) -> list[Callable[..., Any]]:
    """One fake for each real activity."""

    def fake(name: str, takes: type, gives: Any) -> Callable[..., Any]:
        async def run(arg: Any) -> Any:
            return script.answer(name, arg)

        run.__annotations__ = {"arg": takes, "return": gives}
        return activity.defn(name=name)(run)

    shapes: dict[str, tuple[type, Any]] = {
        "fetch_payment": (PaymentRef, FetchedPayment),
        "resolve_payment": (ResolveInput, ResolvedPayment),
        "start_payment": (StartPaymentInput, None),
        "start_change": (StartPaymentInput, None),
        "resolve_customer": (ResolveInput, CustomerPayments),
        "take_turn": (PaymentRef, StepDone),
        "end_turn": (PaymentRef, StepDone),
        "plan_change": (PaymentRef, ChangePlan),
        "keep_change": (OrderInput, StepDone),
        "find_person": (PersonInput, PersonSeen),
        "update_person": (PersonInput, StepDone),
        "see_person": (PersonInput, StepDone | None),
        "update_sales_order": (OrderCorrection, OrderWritten),
        "find_correction": (OrderCorrection, OrderWritten | None),
        "fetch_fee": (PaymentRef, Fee | None),
        "find_receipt": (PaymentRef, ReceiptFound),
        "read_receipt": (ReceiptQuery, ReceiptRecord | None),
        "book_fee": (FeeInput, StepDone),
        "find_fee": (FeeInput, StepDone | None),
        "prepare_order": (PrepareInput, OrderPlan),
        "claim_contact": (ContactInput, ContactClaim),
        "release_contact": (ContactInput, None),
        "find_contact": (ContactInput, ContactWritten),
        "create_contact": (ContactInput, ContactWritten),
        "plan_addresses": (AddressPlanInput, AddressPlan),
        "add_address": (AddressInput, AddressWritten),
        "find_address": (AddressInput, AddressWritten | None),
        "describe_organization": (LookUpInput, None),
        "list_currencies": (LookUpInput, None),
        "list_taxes": (LookUpInput, None),
        "find_item": (LookUpInput, None),
        "create_sales_order": (OrderInput, OrderWritten),
        "find_sales_order": (OrderNumber, OrderWritten | None),
        "read_sales_order": (DocumentRef, OrderWritten),
        "confirm_sales_order": (DocumentRef, StepDone),
        "void_sales_order": (DocumentRef, StepDone),
        "create_invoice": (InvoiceInput, InvoiceWritten),
        "find_invoice": (InvoiceInput, InvoiceWritten | None),
        "read_invoice": (DocumentRef, InvoiceWritten),
        "mark_invoice_sent": (DocumentRef, StepDone),
        "record_payment": (ReceiptInput, ReceiptWritten),
        "find_payment": (ReceiptInput, ReceiptWritten | None),
        "write_back": (WriteBackInput, StepDone),
        "notify_paid": (NotifyInput, StepDone),
        "note_waiting": (AttentionNotice, StepDone),
        "tell_attention": (AttentionNotice, Told),
        "tell_resolved": (AttentionNotice, StepDone),
        "record_answer": (AnswerRecord, StepDone),
        "close_round": (PaymentRef, StepDone),
        "clear_metadata": (WriteBackInput, StepDone),
        "let_go_of_hold": (PaymentRef, HoldLetGo),
        "void_invoice": (DocumentRef, StepDone),
        "delete_payment": (DocumentRef, StepDone),
        "create_package": (PackageInput, PackageWritten),
        "create_shipment": (ShipmentInput, ShipmentWritten),
        "find_packages": (PackagesLook, PackagesFound),
        "delete_package": (DocumentRef, StepDone),
        "delete_shipment": (DocumentRef, StepDone),
        "reserve_stock": (StockInput, StockAnswer),
        "sell_beyond_stock": (StockInput, StockAnswer),
        "release_stock": (PaymentRef, None),
        "check_sets": (AdjustInput, SetsFound),
        "adjust_stock": (AdjustInput, AdjustmentWritten),
        "find_adjustments": (AdjustmentsLook, AdjustmentsFound),
        "restore_stock": (DocumentRef, StepDone),
        "fetch_refund": (RefundRef, FetchedRefund),
        "resolve_refunds": (ResolveInput, RefundsResolved),
        "start_refund": (StartRefundInput, None),
        "mark_refund": (MarkInput, StepDone),
        "unmark_refund": (MarkInput, StepDone),
        "fetch_dispute": (DisputeRef, DisputeFacts),
        "notify_dispute": (NotifyInput, StepDone),
        "resolve_dispute": (ResolveInput, DisputeNamed),
        "start_dispute": (StartDisputeInput, None),
        "notify_refund": (NotifyInput, StepDone),
        "find_sale": (CreditQuery, Sold | None),
        "read_sale": (CreditQuery, Sold),
        "read_sold_lines": (CreditInput, Sold),
        "find_account": (PayOutInput, PayOutInput),
        "create_credit_note": (CreditInput, CreditWritten),
        "find_credit_note": (CreditQuery, CreditWritten | None),
        "pay_out": (PayOutInput, PaidOut),
        "find_paid_out": (CreditDocument, PaidOut | None),
        "delete_credit_refund": (CreditDocument, StepDone),
        "void_credit_note": (CreditDocument, StepDone),
    }
    return [fake(name, takes, gives) for name, (takes, gives) in shapes.items()]


@dataclass
class Stage:
    """A worker over a script, on queues of its own."""

    client: Client
    script: Script
    queue: str

    def payment(self, payment_id: str = "", policy: PaymentPolicy = QUICK) -> PaymentInput:
        """A start for a payment nobody else has."""
        return PaymentInput(
            connection="shop",
            payment_id=payment_id or f"pi_{uuid.uuid4().hex}",
            organization_id="10",
            policy=policy,
            zoho_queue=f"{self.queue}-zoho",
        )

    async def start(self, start: PaymentInput, kind: str = "payment_intent.succeeded") -> WorkflowHandle[Any, Any]:
        """Signal-with-start, as the ingress does it."""
        return await self.client.start_workflow(
            contract.PAYMENT_WORKFLOW,
            start,
            id=contract.payment_workflow_id(start.connection, start.payment_id),
            task_queue=self.queue,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            search_attributes=TypedSearchAttributes([SearchAttributePair(contract.CONNECTION, start.connection)]),
            start_signal=contract.PAYMENT_EVENT,
            start_signal_args=[event(start.payment_id, kind)],
        )

    async def change(self, start: PaymentInput, seen: PaymentEvent) -> WorkflowHandle[Any, Any]:
        """The run that carries over what `seen` changed."""
        return await self.client.start_workflow(
            contract.CHANGE_WORKFLOW,
            ChangeInput(**dict(start), event=seen),
            id=contract.change_workflow_id(start.connection, seen.event_id),
            task_queue=self.queue,
            search_attributes=TypedSearchAttributes(
                [
                    SearchAttributePair(contract.CONNECTION, start.connection),
                    SearchAttributePair(contract.BUSINESS_IDS, [start.payment_id, seen.event_id]),
                ]
            ),
        )

    async def refund(self, start: PaymentInput, seen: PaymentEvent) -> WorkflowHandle[Any, Any]:
        """The run of the refund that `seen` is about."""
        return await self.client.start_workflow(
            contract.REFUND_WORKFLOW,
            RefundInput(**dict(start), refund_id=seen.object_id, event=seen),
            id=contract.refund_workflow_id(start.connection, seen.object_id),
            task_queue=self.queue,
            search_attributes=TypedSearchAttributes([SearchAttributePair(contract.CONNECTION, start.connection)]),
            start_signal=contract.REFUND_EVENT,
            start_signal_args=[seen],
        )


def event(object_id: str, kind: str = "payment_intent.succeeded", *changed: str) -> PaymentEvent:
    """A hint that something happened."""
    return PaymentEvent(
        event_id=f"evt_{uuid.uuid4().hex}",
        type=kind,
        object_id=object_id,
        created=datetime(2026, 11, 23, tzinfo=UTC),
        changed=changed,
    )


@asynccontextmanager
async def on_stage(client: Client, script: Script, *, cached: int = 1000) -> AsyncIterator[Stage]:
    """Workers for workflows and both kinds of activities, answering from `script`."""
    queue = f"fakes-{uuid.uuid4()}"
    fakes = activities(script)
    async with (
        Worker(
            client,
            task_queue=queue,
            workflows=WORKFLOWS,
            activities=fakes,
            max_cached_workflows=cached,
        ),
        Worker(client, task_queue=f"{queue}-zoho", activities=fakes),
    ):
        yield Stage(client, script, queue)
