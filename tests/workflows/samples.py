"""What the fake activities answer where a test says nothing else: a payment, its change, refund, dispute and return."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from domain.adjustments import AdjustmentsFound, AdjustmentWritten, SetsFound
from domain.backfills import Cases, CasesFound, ChargePage, Watched
from domain.book_accounts import AccountsFound, NamedAccount
from domain.books import PostingPlan, Side, Transfer
from domain.corrections import ChangePlan, CustomerPayments, OrderRecalled, PersonSeen
from domain.credits import CreditWritten, PaidOut, Sold, SoldLine
from domain.disputes import DisputeLoss, DisputeNamed, DisputesFound, DisputeStatus, FetchedDispute
from domain.documents import OrderDocumentLine, ReceiptRecord, Share
from domain.given_back import GivenBack, ReturnMoney
from domain.hand_credits import HandCredits
from domain.hand_orders import HandOrders, NumbersKnown
from domain.missing import Alike, Missing, RunTold, ToldHow
from domain.money import Money
from domain.notices import Told
from domain.numbers import order_number
from domain.order_polls import LeftMoney, ListedOrders, OrderLook, PollBegun, Restocked, Standing, StandingFound
from domain.payers import AddressPlan, AddressWritten, ContactClaim, ContactWritten
from domain.payments import Fee, PaymentStatus
from domain.payout_checks import PayoutsLooked
from domain.payouts import PayoutKind, PayoutStatus
from domain.plans import OrderPlan
from domain.policy import PaymentPolicy, ReturnPolicy, ReturnTrigger
from domain.proposals import OrderFound, ProposalSeen, ProposedLine
from domain.receipts import ReceiptFound
from domain.reconciling import Certified, PageKept, PayoutStanding
from domain.refunds import FetchedRefund, RefundNamed, RefundsResolved, RefundStatus
from domain.return_polls import ReturnPage
from domain.returns import FoundBy, OrderTrace, ReceiveWritten, ReturnedPayment, ReturnLine, ReturnSeen
from domain.runs import FetchedPayment, HoldLetGo, ResolvedPayment, StepDone
from domain.sales import InvoiceWritten, OrderInput, OrderWritten, ReceiptWritten
from domain.shipping import PackagesFound, PackageWritten, ShipmentWritten
from domain.stock import StockAnswer
from domain.sweeps import Beginning, Healed, HealInput, Looked, Missed
from domain.writeoffs import OweState, ReceiptKept, WriteOffSeen

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
    lines=(SoldLine(line_item_id="il-1", order_line_id="l-1", item_id="i-1", net=Decimal("49.90")),),
)
LOSS = DisputeLoss(refund=REFUND.model_copy(update={"refund_id": "du_1"}))
DISPUTE = FetchedDispute(
    dispute_id="du_1",
    payment_id="pi_1",
    charge_id="ch_1",
    money=TOTAL,
    status=DisputeStatus.WON,
    reason="fraudulent",
    opened=datetime(2026, 11, 26, tzinfo=UTC),
)
PAYOUT = PayoutStanding(
    money=TOTAL,
    kind=PayoutKind.AUTOMATIC,
    status=PayoutStatus.PAID,
    itemised=True,
    settled=True,
    own_id="txn_own",
)
NOTE = CreditWritten(creditnote_id="cn-1", number="CN-1", status="open", total=TOTAL)
# Entered and approved; its piece has not arrived.
RETURN = ReturnSeen(
    return_id="ret-1",
    number="RMA-1",
    status="approved",
    salesorder_id="so-1",
    requester="Clara",
    lines=(ReturnLine(line_id="rl-1", item_id="i-1", order_line_id="l-1", quantity=Decimal(1)),),
)
ORDER = OrderInput(
    connection="shop",
    payment_id="pi_1",
    number="SO-1",
    order_ref="order",
    total=TOTAL,
    contact_id="c-1",
    item_ids=("i-1",),
    tax_ids=("",),
)
UNPAID_BACK = ReturnMoney(captured=TOTAL, given=TOTAL.zero())
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
    payout_look=timedelta(milliseconds=20),
    payout_patience=timedelta(milliseconds=400),
)
PROPOSALS = QUICK.model_copy(
    update={
        "returns": ReturnPolicy(
            adjustment_reason="Customer return",
            adjustment_order_field="cf_return_of",
            look_every=timedelta(milliseconds=20),
            look_at_most=timedelta(milliseconds=50),
        )
    }
)
PROPOSAL = ProposalSeen(
    adjustment_id="77",
    reason="Customer return",
    reference="SO-1",
    status="adjusted",
    kind="quantity",
    lines=(ProposedLine(item_id="i-1", name="Mug", pieces=Decimal(1)),),
)


def healed(wanted: HealInput) -> Healed:
    """Every gap was one."""
    return Healed(
        missed=tuple(
            Missed(
                event_id=gap.heard.event.event_id,
                type=gap.heard.event.type,
                about=gap.heard.about,
                source=wanted.source,
                why=gap.why,
            )
            for gap in wanted.gaps
        )
    )


# Of a payout of 49.90 with a fee of 1.75 that nobody booked.
ACCOUNT_IDS = {"Stripe Clearing": "1", "Bank": "2", "Stripe Fees": "3"}


def posting_plan(payout_id: str, version: int = 1) -> PostingPlan:
    """What of a payout is to be posted in Books: its transfer, and a fee."""
    day = date(2026, 11, 26)
    return PostingPlan(
        payout_id=payout_id,
        version=version,
        currency="EUR",
        base="EUR",
        arrived=day,
        day=day,
        transfers=(Transfer(reference=payout_id, source="Stripe Clearing", target="Bank", money=TOTAL, day=day),),
        sides=(Side(account="Stripe Clearing", money=-FEE.amount), Side(account="Stripe Fees", money=FEE.amount)),
    )


# A shop that gives money back as soon as a return is approved.
PROMPT = QUICK.model_copy(
    update={
        "returns": ReturnPolicy(
            trigger=ReturnTrigger.APPROVED,
            look_every=timedelta(milliseconds=20),
            look_at_most=timedelta(milliseconds=80),
        )
    }
)
ANSWERS: dict[str, Any] = {
    "fetch_payout": PAYOUT,
    "keep_payout_page": PageKept(lines=1, net=TOTAL),
    "certify_payout": Certified(version=1, hash="0" * 64),
    "plan_postings": lambda wanted: posting_plan(wanted.payment_id, wanted.version),
    "leave_postings": StepDone(),
    "find_book_accounts": AccountsFound(
        accounts=tuple(NamedAccount(name=name, account_id=id_) for name, id_ in ACCOUNT_IDS.items())
    ),
    "list_missing": Missing(),
    "find_alike": Alike(),
    "keep_receipt_found": StepDone(),
    "keep_fee_found": StepDone(),
    "keep_credit_found": StepDone(),
    "tell_missing": RunTold(how=ToldHow.TOLD),
    "find_beginning": Beginning(at=datetime(2026, 1, 1, tzinfo=UTC)),
    "look_at_received": Looked(),
    "look_at_events": Looked(),
    "look_at_balance": Looked(),
    "heal_gaps": healed,
    "look_at_payouts": PayoutsLooked(),
    "look_at_open_payouts": PayoutsLooked(),
    "tell_payouts": StepDone(),
    "note_sweep": None,
    "watch_quota": None,
    "list_charges": lambda wanted: ChargePage(until=wanted.until, span=wanted.span),
    "start_backfilled": StepDone(),
    "list_cases": CasesFound(),
    "start_cases": StepDone(),
    "watch_backfilled": lambda wanted: Watched(
        completed=len(wanted.payment_ids), cases=Cases(completed=len(wanted.cases))
    ),
    "known_numbers": NumbersKnown(),
    "find_orders_by_hand": HandOrders(),
    "adopt_sales_order": OrderWritten(
        salesorder_id="so-7",
        number="HAND-7",
        contact_id="c-7",
        status="confirmed",
        total=TOTAL,
        line_item_ids=("l-7",),
        goods=GOODS,
    ),
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
    "fetch_loss": LOSS,
    "find_disputes": DisputesFound(),
    "keep_moves": StepDone(),
    "recall_order": OrderRecalled(),
    "recall_receipt": None,
    "keep_receipt": lambda wanted: ReceiptKept(record=wanted.record, invoice_id=wanted.invoice_id),
    "see_owed": WriteOffSeen(state=OweState.PAID),
    "lower_payment": StepDone(),
    "write_off": StepDone(),
    "cancel_write_off": StepDone(),
    "restore_payment": StepDone(),
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
    "find_credits_by_hand": HandCredits(),
    "pay_out": PaidOut(zoho_refund_id="cr-1"),
    "find_paid_out": None,
    "delete_credit_refund": StepDone(),
    "void_credit_note": StepDone(),
    "read_proposal": PROPOSAL,
    "find_named_order": OrderFound(salesorder_id="so-1"),
    "tell_proposal": StepDone(),
    "list_proposals": ReturnPage(),
    "keep_proposals": StepDone(),
    "read_return": RETURN,
    "remember_payment": ReturnedPayment(payment_id="pi_1", told_by=FoundBy.MEMORY),
    "trace_order": OrderTrace(salesorder_id="so-1", candidates=("pi_1",)),
    "identify_payment": ReturnedPayment(payment_id="pi_1", told_by=FoundBy.ORDER),
    "fetch_return_money": UNPAID_BACK,
    "give_back": GivenBack(refund_id="re_1"),
    "find_given_back": None,
    "receive_return": ReceiveWritten(receive_ids=("rc-1",)),
    "own_receives": ReceiveWritten(),
    "delete_receive": StepDone(),
    "mark_return": StepDone(),
    "find_return_mark": None,
    "comment_credit_note": StepDone(),
    "find_comment": None,
    "notify_return": StepDone(),
    "list_returns": ReturnPage(),
    "tell_return": StepDone(),
    "keep_returns": StepDone(),
    "begin_order_poll": PollBegun(since=datetime(2026, 11, 25, tzinfo=UTC), at=datetime(2026, 11, 26, tzinfo=UTC)),
    "list_changed": ListedOrders(),
    "trace_credit_note": None,
    "see_restocked": Restocked(),
    "tell_restocked": StepDone(),
    "refresh_contacts": ListedOrders(),
    "refresh_items": ListedOrders(),
    "see_order": OrderLook(standing=Standing.STANDS, number="SO-1"),
    "keep_look": StepDone(),
    "end_order_poll": StepDone(),
    "tell_check": StepDone(),
    "carry_back": StepDone(),
    "notify_shipment": StepDone(),
    "accept_order": StepDone(),
    "note_gone": StepDone(),
    "fetch_left": LeftMoney(captured=TOTAL, left=TOTAL),
    "give_all_back": GivenBack(refund_id="re_1"),
    "find_all_given_back": None,
    "find_standing": StandingFound(),
    "carry_anew": StepDone(),
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
