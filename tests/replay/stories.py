"""The stories whose histories are kept: each as a script of answers, played on a real server."""

from __future__ import annotations

from typing import Any

from temporalio.exceptions import ApplicationError

from domain.adjustments import AdjustmentWritten
from domain.credits import CreditWritten, PaidOut
from domain.documents import OwnStep, Part
from domain.payers import AddressPlan, AddressUse
from domain.payments import PaymentStatus
from domain.plans import LookUp, LookUpKind, OrderPlan
from domain.policy import Oversell, Ship
from domain.problems import Problem, ProblemCode
from domain.refunds import RefundStatus
from domain.runs import FetchedPayment, StepDone
from domain.sales import InvoiceWritten, OrderWritten, ReceiptWritten
from domain.stock import StockAnswer, Verdict
from tests.workflows.samples import ANSWERS, FEE, GOODS, NOTE, QUICK, REFUND, SOLD, TOTAL, known_plan
from tests.workflows.test_changes import PLAN, STANDS, UNCHARGED

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


STORIES: dict[str, dict[str, Any]] = {
    "payment-known-customer": {"prepare_order": _known},
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
    "payment-own-steps": {
        "prepare_order": _known,
        "create_sales_order": OWN,
        "read_sales_order": OWN.model_copy(update={"status": "confirmed", "invoices": (PAID,)}),
        "find_invoice": PAID,
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
# The stories of shops that decided something.
POLICIES = {
    "payment-shipped": QUICK.model_copy(update={"ship": Ship.WHEN_PAID}),
    "payment-oversold": QUICK.model_copy(update={"oversell": Oversell.HOLD}),
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
    "refund-of-a-return": {"fetch_refund": REFUND.model_copy(update={"return_id": "ret-1"})},
}
# The stories that park, and what a person then answers.
PARKING: dict[str, Any] = {
    "payment-oversold": {"action": "skip", "reason": "comes in tomorrow"},
    "payment-unknown-sku": {"action": "abort", "reason": "no such thing"},
    "payment-resumed": "retry",
}
