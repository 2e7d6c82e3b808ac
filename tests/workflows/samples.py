"""What the fake activities answer where a test says nothing else: one payment, its change, its refund, its dispute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from domain.adjustments import AdjustmentsFound, AdjustmentWritten, SetsFound
from domain.corrections import ChangePlan, CustomerPayments, PersonSeen
from domain.credits import (
    CreditWritten,
    PaidOut,
    Sold,
    SoldLine,
)
from domain.disputes import DisputeFacts, DisputeNamed, DisputeStatus
from domain.documents import OrderDocumentLine, ReceiptRecord, Share
from domain.money import Money
from domain.notices import Told
from domain.numbers import order_number
from domain.payers import (
    AddressPlan,
    AddressWritten,
    ContactClaim,
    ContactWritten,
)
from domain.payments import Fee, PaymentStatus
from domain.plans import OrderPlan
from domain.policy import PaymentPolicy
from domain.receipts import ReceiptFound
from domain.refunds import (
    FetchedRefund,
    RefundNamed,
    RefundsResolved,
    RefundStatus,
)
from domain.runs import (
    FetchedPayment,
    HoldLetGo,
    ResolvedPayment,
    StepDone,
)
from domain.sales import (
    InvoiceWritten,
    OrderWritten,
    ReceiptWritten,
)
from domain.shipping import PackagesFound, PackageWritten, ShipmentWritten
from domain.stock import StockAnswer

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
