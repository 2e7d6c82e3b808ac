"""Disputes: opened by a bank, answered, won, lost; the money they move, and what each of that tells.

docs.stripe.com/disputes and docs.stripe.com/api/disputes. An inquiry (`warning_…`) moves no money until it becomes a
dispute. What Stripe does not say (fee, order, what may be refunded afterwards) are switches.
"""

from __future__ import annotations

from sandbox.stripe import refunds
from sandbox.stripe.balances import Movement, book
from sandbox.stripe.errors import ApiError
from sandbox.stripe.refunds import UNDER_WAY
from sandbox.stripe.tables import Doc
from sandbox.stripe.wishes import check_names
from sandbox.stripe.world import World, changed

REASONS = (
    "bank_cannot_process", "check_returned", "credit_not_processed", "customer_initiated", "debit_not_authorized",
    "duplicate", "fraudulent", "general", "incorrect_account_details", "insufficient_funds", "noncompliant",
    "product_not_received", "product_unacceptable", "subscription_canceled", "unrecognized",
)  # fmt: skip
OPEN = ("needs_response", "under_review")
INQUIRIES = ("warning_needs_response", "warning_under_review")
KNOWN = frozenset({"reason", "amount", "due_by", "inquiry"})
_EVIDENCE = (
    "access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure",
    "cancellation_rebuttal", "customer_communication", "customer_email_address", "customer_name",
    "customer_purchase_ip", "customer_signature", "duplicate_charge_documentation", "duplicate_charge_explanation",
    "duplicate_charge_id", "product_description", "receipt", "refund_policy", "refund_policy_disclosure",
    "refund_refusal_explanation", "service_date", "service_documentation", "shipping_address", "shipping_carrier",
    "shipping_date", "shipping_documentation", "shipping_tracking_number", "uncategorized_file", "uncategorized_text",
)  # fmt: skip


def open_dispute(world: World, charge: Doc, given: Doc) -> Doc:
    """A bank disputes a charge: {reason, amount, due_by, inquiry}; tells `charge.dispute.created`.

    `due_by` is a Unix time, nine days from now where it is not given. What is not an inquiry also takes the money.
    """
    check_names(given, KNOWN)
    if charge["status"] != "succeeded" or not charge["captured"]:
        raise ApiError(f"Charge {charge['id']} was not captured, so there is nothing to dispute")
    if any(world.table("disputes").find(charge=charge["id"])):
        raise ApiError(f"Charge {charge['id']} has been disputed already")
    doc = _made(world, charge, given)
    world.table("disputes").save(doc)
    if doc["status"] == "needs_response" or world.switches.inquiry_marks_disputed:
        charge["disputed"] = True
        world.table("charges").save(charge)
    world.emit("charge.dispute.created", doc)
    if doc["status"] == "needs_response":
        _take(world, doc)
    return doc


def _made(world: World, charge: Doc, given: Doc) -> Doc:
    reason, amount = given.get("reason") or "fraudulent", given.get("amount")
    left = charge["amount_captured"] - charge["amount_refunded"]
    amount = left if amount is None else amount
    if reason not in REASONS:
        raise ApiError(f"Invalid reason: one of {', '.join(REASONS)}", param="reason")
    if type(amount) is not int or not 1 <= amount <= charge["amount_captured"]:
        raise ApiError("amount is 1 to what was captured", param="amount")
    inquiry = bool(given.get("inquiry"))
    card = {"brand": "visa", "case_type": "inquiry" if inquiry else "chargeback", "network": "visa"}
    return {
        **world.base("dispute", "du_1", charge["_account"]),
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(_EVIDENCE), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": given.get("due_by") or world.schedule.second() + 9 * 86400,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": inquiry,
        "metadata": {},
        "network_reason_code": "10.4",
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {"type": "card", "card": {**card, "network_reason_code": "10.4"}},
        "reason": reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
    }


def _take(world: World, doc: Doc) -> None:
    """The bank takes the money; a refund under way fails, so that the buyer is not paid twice."""
    fee = world.switches.dispute_fee
    _move(world, doc, -doc["amount"], "dispute", "Chargeback withdrawal for", fee)
    world.table("disputes").save(doc)
    world.emit("charge.dispute.funds_withdrawn", doc)
    if world.switches.dispute_fails_refunds:
        under_way = [row for row in world.table("refunds").find(charge=doc["charge"]) if row["status"] in UNDER_WAY]
        for refund in under_way:
            refunds.fail(world, refund, "charge_for_pending_refund_disputed")


def _move(world: World, doc: Doc, amount: int, category: str, says: str, fee: int) -> None:
    fee_says = "Dispute fee" if fee >= 0 else "Dispute fee refund"
    text = f"{says} {doc['charge']}"
    what = Movement(amount, doc["currency"], "adjustment", category, text, fee, fee_says)
    doc["balance_transactions"].append(book(world, doc["_account"], doc["id"], what))


def answer(world: World, doc: Doc) -> Doc:
    """The shop has handed in its evidence; tells `charge.dispute.updated`."""
    review = {"needs_response": "under_review", "warning_needs_response": "warning_under_review"}
    if doc["status"] not in review:
        raise _wrong_state(doc, "answered")
    before = changed(doc, {"status": review[doc["status"]]})
    doc["evidence_details"] |= {"has_evidence": True, "submission_count": 1, "submission_method": "manual"}
    return _tell(world, doc, "charge.dispute.updated", before)


def escalate(world: World, doc: Doc) -> Doc:
    """An inquiry becomes a dispute and takes the money; tells `charge.dispute.updated`, then the withdrawal."""
    if doc["status"] not in INQUIRIES:
        raise _wrong_state(doc, "escalated")
    before = changed(doc, {"status": "needs_response", "is_charge_refundable": False})
    doc["payment_method_details"]["card"]["case_type"] = "chargeback"
    charge = world.need("charges", doc["charge"], doc["_account"])
    charge["disputed"] = True
    world.table("charges").save(charge)
    _tell(world, doc, "charge.dispute.updated", before)
    _take(world, doc)
    return doc


def close(world: World, doc: Doc, outcome: str) -> Doc:
    """The bank has decided: `won` gives the money back, `lost` does not; tells `charge.dispute.closed`.

    An inquiry closes by itself, whatever the outcome is called. One that was lost may still be won: an appeal.
    """
    if outcome not in ("won", "lost"):
        raise ApiError("outcome is won or lost", param="outcome")
    if doc["status"] in INQUIRIES:
        return _tell(world, doc, "charge.dispute.closed", changed(doc, {"status": "warning_closed"}))
    if doc["status"] not in OPEN and (doc["status"], outcome) != ("lost", "won"):
        raise _wrong_state(doc, "closed")
    if outcome == "won":
        fee = -world.switches.dispute_fee if world.switches.dispute_fee_returned else 0
        _move(world, doc, doc["amount"], "dispute_reversal", "Chargeback reversal for", fee)
        doc["is_charge_refundable"] = world.switches.won_is_refundable
    before = changed(doc, {"status": outcome})
    world.table("disputes").save(doc)
    told = ["charge.dispute.closed", *(["charge.dispute.funds_reinstated"] if outcome == "won" else [])]
    for kind in told if world.switches.dispute_closes_first else reversed(told):
        world.emit(kind, doc, before if kind == "charge.dispute.closed" else None)
    return doc


def give_up(world: World, doc: Doc, params: Doc) -> Doc:
    """What the API's `close` does: the shop accepts that it has lost."""
    if doc["status"] != "needs_response":
        raise _wrong_state(doc, "closed")
    return close(world, doc, "lost")


def _tell(world: World, doc: Doc, kind: str, before: Doc) -> Doc:
    world.table("disputes").save(doc)
    world.emit(kind, doc, before)
    return doc


def _wrong_state(doc: Doc, what: str) -> ApiError:
    return ApiError(f"Dispute {doc['id']} is {doc['status']}: it cannot be {what}", stored=True)
