"""The stories whose histories are kept: each as a script of answers, played on a real server."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio.exceptions import ApplicationError

from domain.adjustments import AdjustmentWritten
from domain.corrections import OrderRecalled
from domain.credits import CreditWritten, NoteByHand, PaidOut
from domain.disputes import DisputesFound, DisputeStatus
from domain.documents import OwnStep, Part
from domain.hand_orders import HandOrders, OrderRow
from domain.payers import AddressPlan, AddressUse
from domain.payments import Moved, PaymentStatus
from domain.plans import LookUp, LookUpKind, OrderPlan
from domain.policy import BooksPolicy, DisputeLost, Oversell, Ship
from domain.problems import Problem, ProblemCode
from domain.refunds import RefundStatus
from domain.runs import FetchedPayment, Rerun, RerunStep, StepDone
from domain.sales import InvoiceWritten, OrderWritten, ReceiptWritten
from domain.stock import StockAnswer, Verdict
from domain.writeoffs import OweState, ReceiptKept, WriteOffSeen
from tests.workflows.returning import ABORT, APPROVE, RETRY
from tests.workflows.samples import (
    ANSWERS,
    DISPUTE,
    FEE,
    GOODS,
    LOSS,
    NOTE,
    QUICK,
    RECORD,
    REFUND,
    SOLD,
    TOTAL,
    known_plan,
)
from tests.workflows.test_backfills import given_back, pages, refunds_of
from tests.workflows.test_changes import PLAN, STANDS, UNCHARGED
from tests.workflows.test_order_checks import REFUND as REFUND_IT
from tests.workflows.test_planned_anew import GONE as NOT_THERE

UNPAID = FetchedPayment(status=PaymentStatus.UNPAID, money=TOTAL, facts_ref="facts")
PACKAGE = ANSWERS["create_package"]
OWN = OrderWritten(
    salesorder_id="so-1",
    status="draft",
    total=TOTAL,
    line_item_ids=("l-1",),
    goods=GOODS,
    own_steps=(OwnStep.INVOICE, OwnStep.PAYMENT),
)
STANDING = OrderWritten(salesorder_id="so-1", status="confirmed", total=TOTAL, line_item_ids=("l-1",))
PAID = InvoiceWritten(invoice_id="in-1", number="INV-1", status="paid", total=TOTAL, balance=TOTAL.zero())
OPEN = DISPUTE.model_copy(update={"status": DisputeStatus.OPEN})
LOST_DISPUTE = DISPUTE.model_copy(update={"status": DisputeStatus.LOST})
TAKEN = Moved(transaction_id="txn_9", money=-TOTAL, fee=FEE.amount, net=-TOTAL - FEE.amount)
LOST = InvoiceWritten(unknown=True, asked=1)
# A day that is over already, so that the wait for the next one is short.
GONE = ApplicationError(
    "Zoho's daily quota is used up",
    {"until": "2026-01-01T00:00:00+00:00", "when": "2026-01-01 00:00 UTC", "said": "Zoho's daily quota is used up"},
    type="QuotaGone",
    non_retryable=True,
)


def _known(wanted: Any) -> OrderPlan:
    return known_plan(wanted.payment_id)


def _set(wanted: Any) -> OrderPlan:
    parts = (Part(item_id="i-2", sku="MUG", quantity=2),)
    return known_plan(wanted.payment_id, sets=("i-1",), parts=parts)


def _stranger(wanted: Any) -> OrderPlan:
    if not wanted.asked:
        return OrderPlan(lookups=(LookUp(kind=LookUpKind.ORGANIZATION), LookUp(kind=LookUpKind.ITEM, key="MUG")))
    return known_plan(wanted.payment_id, contact_id="", addresses=None)


HAND = OrderRow(salesorder_id="so-7", number="HAND-7", status="confirmed", contact_id="c-7", total=TOTAL)

STORIES: dict[str, dict[str, Any]] = {
    "payment-adopted": {"prepare_order": _known, "find_orders_by_hand": HandOrders(sure=HAND)},
    "payment-adopted-by-a-person": {
        "prepare_order": _known,
        "find_orders_by_hand": [HandOrders(), HandOrders(alike=(HAND,))],
    },
    "payment-backfilled": {"prepare_order": _known},
    "payment-told-once-more": {"prepare_order": _known},
    "payment-known-customer": {"prepare_order": _known},
    "payment-planned-anew": {
        "prepare_order": _known,
        "create_sales_order": [NOT_THERE, ANSWERS["create_sales_order"]],
    },
    "payment-new-customer": {"prepare_order": _stranger},
    "payment-paid-later": {"prepare_order": _known, "fetch_payment": [UNPAID, ANSWERS["fetch_payment"]]},
    "payment-late-fee": {
        "prepare_order": _known,
        "fetch_payment": ANSWERS["fetch_payment"].model_copy(update={"fee": None}),
        "record_payment": ANSWERS["record_payment"].model_copy(update={"record": UNCHARGED}),
        "fetch_fee": FEE,
    },
    "payment-lost-answer": {"prepare_order": _known, "create_invoice": [LOST, ANSWERS["create_invoice"]]},
    "payment-number-taken": {
        "prepare_order": _known,
        "create_sales_order": OrderWritten(taken=True),
        "find_sales_order": OrderWritten(salesorder_id="so-1", status="draft", total=TOTAL),
    },
    "payment-quota-gone": {"prepare_order": _known, "confirm_sales_order": [GONE, StepDone()]},
    "payment-unknown-sku": {
        "prepare_order": OrderPlan(problems=(Problem(code=ProblemCode.UNKNOWN_SKU, message="no such item"),))
    },
    "payment-shipped": {"prepare_order": _known, "create_package": [{"unknown": True, "asked": 1}, PACKAGE]},
    "payment-disputed": {"prepare_order": _known, "find_disputes": DisputesFound(holding=("du_1",))},
    "payment-own-steps": {
        "prepare_order": _known,
        "create_sales_order": OWN,
        "read_sales_order": OWN.model_copy(update={"status": "confirmed", "invoices": (PAID,)}),
        "find_invoice": PAID,
        "find_payment": ReceiptWritten(zoho_payment_id="pay-1", balance=TOTAL.zero()),
    },
    "payment-fee-found": {
        "prepare_order": _known,
        "record_payment": {"unknown": True, "asked": 1},
        "find_payment": ReceiptWritten(zoho_payment_id="pay-1", balance=TOTAL.zero()),
    },
    "payment-oversold": {
        "prepare_order": _known,
        "reserve_stock": StockAnswer(verdict=Verdict.TOO_LITTLE, short=("MUG (1 wanted, 0 left)",)),
    },
    "payment-set": {
        "prepare_order": _set,
        "adjust_stock": [AdjustmentWritten(unknown=True, asked=1), ANSWERS["adjust_stock"]],
    },
    "payment-resumed": {
        "prepare_order": _known,
        "write_back": [ApplicationError("no right", type="NotAllowed", non_retryable=True), StepDone()],
    },
}
# What else a run starts with.
STARTS: dict[str, dict[str, Any]] = {
    "payment-adopted": {"backfilled": True},
    "payment-adopted-by-a-person": {"backfilled": True},
    "payment-backfilled": {"backfilled": True},
    "payment-told-once-more": {"rerun": Rerun(tag="rerun-1", from_step=RerunStep.INVOICE)},
}
# Backfills: some payments of which a few are carried already.
BACKFILLS: dict[str, dict[str, Any]] = {
    "backfill": {"list_charges": pages(3, 0, 2, known=2)},
    "backfill-given-back": {"list_charges": given_back(0, 2), "list_cases": refunds_of},
}
# The stories of shops that decided something.
POLICIES = {
    "payment-shipped": QUICK.model_copy(update={"ship": Ship.WHEN_PAID}),
    "payment-disputed": QUICK.model_copy(update={"ship": Ship.WHEN_PAID}),
    "payment-oversold": QUICK.model_copy(update={"oversell": Oversell.HOLD}),
    "dispute-lost": QUICK.model_copy(update={"dispute_lost": DisputeLost.ASK}),
    "dispute-credited": QUICK.model_copy(update={"remind_every": timedelta(milliseconds=20)}),
    "dispute-written-off": QUICK.model_copy(update={"dispute_lost": DisputeLost.WRITE_OFF}),
    "dispute-entered-not-written-off": QUICK.model_copy(update={"dispute_lost": DisputeLost.WRITE_OFF}),
    "dispute-marked": QUICK.model_copy(update={"hold_field": "cf_held"}),
    "payout-posted": QUICK.model_copy(update={"books": BooksPolicy(post=True)}),
    "payout-posted-and-aborted": QUICK.model_copy(update={"books": BooksPolicy(post=True)}),
}
# Changes of a payment that has closed.
CHANGES: dict[str, dict[str, Any]] = {
    "change-fee": {"plan_change": PLAN, "read_receipt": UNCHARGED},
    "change-address-and-person": {
        "plan_change": PLAN.model_copy(update={"addressed": True, "person": True}),
        "plan_addresses": AddressPlan(missing=(AddressUse.SHIPPING,)),
        "read_sales_order": STANDS,
    },
}
# Refunds, booked or taken back.
REFUNDS: dict[str, dict[str, Any]] = {
    "refund-booked": {"create_credit_note": [CreditWritten(unknown=True, asked=1), NOTE]},
    "refund-pending": {"fetch_refund": [REFUND.model_copy(update={"status": RefundStatus.PENDING}), REFUND]},
    "refund-failed": {
        "fetch_refund": REFUND.model_copy(update={"status": RefundStatus.FAILED}),
        "find_credit_note": [NOTE, None],
        "find_paid_out": [PaidOut(zoho_refund_id="cr-1"), None],
    },
    "refund-cancels-order": {
        "read_sale": SOLD.model_copy(update={"invoice_id": "", "zoho_payment_id": ""}),
        "find_sales_order": STANDING,
        "read_sales_order": [STANDING, STANDING.model_copy(update={"status": "void"})],
    },
    "refund-found-void": {
        "fetch_refund": REFUND.model_copy(update={"cancelled": True}),
        "read_sale": SOLD.model_copy(update={"invoice_id": "", "status": "void"}),
    },
    "refund-of-an-adjustment": {"fetch_refund": REFUND.model_copy(update={"adjustment_id": "77"})},
    "refund-of-a-return": {"fetch_refund": REFUND.model_copy(update={"return_id": "ret-1"})},
}
ENTERED = SOLD.model_copy(
    update={"named": (NoteByHand(creditnote_id="cn-9", number="CN-9", total=TOTAL),), "noted": True}
)
# Disputes; the last answer of `fetch_dispute` is the end that Stripe tells.
DISPUTES: dict[str, dict[str, Any]] = {
    "dispute-won": {"fetch_dispute": [OPEN, DISPUTE]},
    "dispute-lost": {"fetch_dispute": [OPEN, LOST_DISPUTE]},
    "dispute-inquiry": {
        "fetch_dispute": [
            OPEN.model_copy(update={"status": DisputeStatus.INQUIRY}),
            DISPUTE.model_copy(update={"status": DisputeStatus.DROPPED}),
        ]
    },
    "dispute-credited": {
        "fetch_dispute": [OPEN, LOST_DISPUTE.model_copy(update={"withdrawn": (TAKEN,)})],
        "fetch_loss": [LOSS.model_copy(update={"under_way": ("re_1",)}), LOSS],
        "create_credit_note": [CreditWritten(unknown=True, asked=1), NOTE],
    },
    "dispute-written-off": {
        "fetch_dispute": [OPEN, LOST_DISPUTE],
        "see_owed": [
            WriteOffSeen(state=state)
            for state in (OweState.PAID, OweState.OWED, OweState.OWED, OweState.WRITTEN_OFF, OweState.WRITTEN_OFF)
        ],
        "lower_payment": StepDone(unknown=True, asked=1),
    },
    "dispute-entered": {"fetch_dispute": [OPEN, LOST_DISPUTE], "read_sold_lines": ENTERED},
    "dispute-entered-not-written-off": {"fetch_dispute": [OPEN, LOST_DISPUTE], "read_sold_lines": ENTERED},
    "dispute-reinstated": {
        "fetch_dispute": [OPEN, DISPUTE.model_copy(update={"begun": True})],
        "find_credit_note": [NOTE, None],
        "find_paid_out": [PaidOut(zoho_refund_id="cr-1"), None],
        "recall_receipt": ReceiptKept(record=RECORD, invoice_id="in-1"),
        "see_owed": [WriteOffSeen(state=state) for state in (OweState.WRITTEN_OFF, OweState.OWED, OweState.PAID)],
    },
    "dispute-marked": {
        "fetch_dispute": [OPEN, DISPUTE],
        "recall_order": OrderRecalled(salesorder_id="so-1", order=PLAN.order),
        "read_sales_order": STANDS,
    },
}
# What is waited for before the bank decides, where it is not that the order was read.
AWAITED = {"dispute-marked": "end_turn"}
# The stories that park, and what a person then answers.
PARKING: dict[str, Any] = {
    "payment-adopted-by-a-person": {"action": "adopt", "by": "ada"},
    "payment-oversold": {"action": "skip", "reason": "comes in tomorrow"},
    "payment-unknown-sku": {"action": "abort", "reason": "no such thing"},
    "payment-resumed": "retry",
    "dispute-lost": {"action": "skip", "reason": "credited by hand"},
    "payout-uncertain": {"action": "skip", "reason": "it is that one", "by": "ada"},
    "payout-posted-and-aborted": ABORT,
    "return-approval-parked-and-approved": APPROVE,
    "return-failed-retried": RETRY,
    "return-aborted": ABORT,
    "return-undone-in-turn": ABORT,
    "check-drift-skipped": {"action": "skip", "reason": "one more on the house"},
    "check-cancelled-and-refunded": REFUND_IT,
    "check-restored": "restore",
    "check-hold-let-go": REFUND_IT,
}
