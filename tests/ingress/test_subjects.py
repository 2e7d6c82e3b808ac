"""Which payment an event is about."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingress.events import parse
from ingress.signatures import BadDelivery
from ingress.subjects import EVENT_TYPES, Disputed, Named, Nothing, PaidOut, Refunded, Subject, Unnamed, subject_of
from tests.ingress.deliveries import sample, snapshot, thin
from tests.ingress.test_events import JSON

SNAPSHOTS = sorted(name for name in EVENT_TYPES if not name.startswith("v1."))


def about(event: dict[str, Any]) -> Subject:
    """What `event` is about, after it went through the parser."""
    return subject_of(parse(json.dumps(event).encode()))


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("03.charge.succeeded", Named("pi_3SCN000000000000000001", "39.99 USD", "39.99 USD")),
        ("04.payment_intent.succeeded", Named("pi_3SCN000000000000000001", "39.99 USD", "39.99 USD")),
        ("05.checkout.session.completed", Named("pi_3SCN000000000000000001", "39.99 USD", "39.99 USD")),
        ("thin.v1.payment_intent.succeeded", Named("pi_3SCN000000000000000001")),
        ("recorded.checkout.session.completed", Named("pi_1IqxJOJDPojXS6LN9uOebAea", "9.99 EUR", "9.99 EUR")),
        ("recorded.invoice.paid", Unnamed("in_1KJqKBJDPojXS6LNJbvLUgEy")),
    ],
)
def test_stripes_own_shapes_name_their_payment(name: str, subject: Subject) -> None:
    """The several events that mean paid name one payment."""
    assert about(sample(name)) == subject


@pytest.mark.parametrize(
    ("type", "fields", "subject"),
    [
        ("charge.succeeded", {"id": "ch_1", "payment_intent": None}, Named("ch_1")),
        ("charge.succeeded", {"id": "py_1"}, Named("py_1")),
        ("charge.succeeded", {"id": "ch_1", "payment_intent": {"id": "pi_1"}}, Named("pi_1")),
        ("checkout.session.completed", {"id": "cs_1", "payment_intent": {"id": "pi_1"}}, Named("pi_1")),
        ("checkout.session.completed", {"id": "cs_1", "payment_status": "unpaid", "payment_intent": "pi_1"},
         Named("pi_1")),
        ("checkout.session.completed", {"id": "cs_1", "invoice": "in_1"}, Unnamed("in_1")),
        ("checkout.session.completed", {"id": "cs_1", "mode": "setup"}, Nothing("no-payment")),
        ("checkout.session.async_payment_succeeded", {"id": "cs_1", "payment_intent": "pi_1"}, Named("pi_1")),
        ("invoice.paid", {"id": "in_1"}, Unnamed("in_1")),
        ("invoice.paid", {"id": "in_1", "payment_intent": "pi_1", "amount_paid": 500, "currency": "jpy"},
         Named("pi_1", "500 JPY")),
        ("charge.updated", {"id": "ch_1", "payment_intent": "pi_1"}, Named("pi_1")),
        ("charge.captured", {"id": "ch_1"}, Named("ch_1")),
        ("payment_intent.canceled", {"id": "pi_1"}, Named("pi_1")),
        ("customer.updated", {"id": "cus_1"}, Unnamed("cus_1")),
        ("refund.created", {"id": "re_1", "payment_intent": "pi_1", "charge": "ch_1"}, Refunded("re_1", "pi_1")),
        ("refund.updated", {"id": "re_1", "payment_intent": {"id": "pi_1"}}, Refunded("re_1", "pi_1")),
        ("refund.failed", {"id": "pyr_1", "payment_intent": None, "charge": "py_1"}, Refunded("pyr_1", "py_1")),
        ("refund.created", {"id": "re_1", "charge": "ch_1"}, Unnamed("re_1")),
        ("refund.created", {"id": "re_1", "payment_intent": None, "charge": None}, Unnamed("re_1")),
        ("charge.refund.updated", {"id": "re_1", "payment_intent": "pi_1"}, Refunded("re_1", "pi_1")),
        ("charge.dispute.created", {"id": "du_1", "payment_intent": "pi_1"}, Disputed("du_1", "pi_1")),
        ("charge.dispute.closed", {"id": "dp_1", "payment_intent": None, "charge": "ch_1"}, Disputed("dp_1", "ch_1")),
        ("charge.dispute.updated", {"id": "dp_1", "charge": "ch_1"}, Unnamed("dp_1")),
        ("payout.paid", {"id": "po_1"}, PaidOut("po_1")),
        ("payout.reconciliation_completed", {"id": "po_1"}, PaidOut("po_1")),
        ("payout.failed", {"id": "po_1"}, PaidOut("po_1")),
        ("charge.refunded", {"id": "ch_1", "payment_intent": "pi_1"}, Unnamed("ch_1")),
        ("payment_intent.created", {"id": "pi_1"}, Nothing("type")),
        ("v1.payment_intent.succeeded", {"id": "pi_1"}, Nothing("type")),
    ],
)  # fmt: skip
def test_a_snapshot_event_names_its_payment(type: str, fields: dict[str, Any], subject: Subject) -> None:
    """Each type has its own place for the payment's id."""
    assert about(snapshot(type, fields)) == subject


CHARGE = {"id": "ch_1", "payment_intent": "pi_1", "amount": 4990, "amount_captured": 4990, "amount_refunded": 0,
          "currency": "eur", "paid": True, "captured": True}  # fmt: skip
INTENT = {"id": "pi_1", "status": "succeeded", "amount": 4990, "amount_received": 4990, "currency": "eur"}
SESSION = {"id": "cs_1", "payment_intent": "pi_1", "payment_status": "paid", "amount_total": 4990, "currency": "eur"}


@pytest.mark.parametrize(
    ("type", "fields", "paid"),
    [
        ("charge.succeeded", CHARGE, "49.90 EUR"),
        ("payment_intent.succeeded", INTENT, "49.90 EUR"),
        ("checkout.session.completed", SESSION, "49.90 EUR"),
        ("charge.succeeded", CHARGE | {"amount_captured": 3000}, "30.00 EUR"),
        ("charge.succeeded", CHARGE | {"captured": False, "amount_captured": 0}, ""),
        ("charge.succeeded", CHARGE | {"paid": False}, ""),
        ("charge.succeeded", CHARGE | {"amount_refunded": 1}, ""),
        ("charge.succeeded", CHARGE | {"currency": "xxx"}, ""),
        ("payment_intent.succeeded", INTENT | {"status": "requires_capture"}, ""),
        ("checkout.session.completed", SESSION | {"payment_status": "unpaid"}, ""),
        ("checkout.session.completed", SESSION | {"payment_status": "no_payment_required"}, ""),
        ("invoice.paid", {"id": "in_1", "payment_intent": "pi_1", "amount_paid": 500, "currency": "jpy"}, ""),
    ],
)
def test_an_event_says_paid_only_when_all_of_it_is(type: str, fields: dict[str, Any], paid: str) -> None:
    """What is authorised, unpaid, refunded or unclear does not say "paid", so it shares no other event's start."""
    subject = about(snapshot(type, fields))
    assert isinstance(subject, Named)
    assert subject.paid == paid


@pytest.mark.parametrize(
    ("type", "object_id", "kind", "subject"),
    [
        ("v1.payment_intent.succeeded", "pi_1", "payment_intent", Named("pi_1")),
        ("v1.charge.succeeded", "ch_1", "charge", Unnamed("ch_1")),
        ("v1.checkout.session.completed", "cs_1", "checkout.session", Unnamed("cs_1")),
        ("v1.invoice.paid", "in_1", "invoice", Unnamed("in_1")),
        ("v1.customer.created", "cus_1", "customer", Nothing("type")),
        ("v1.customer.updated", "cus_1", "customer", Unnamed("cus_1")),
        ("v1.charge.updated", "ch_1", "charge", Unnamed("ch_1")),
        ("v1.refund.failed", "re_1", "refund", Unnamed("re_1")),
        ("v1.charge.refund.updated", "re_1", "refund", Unnamed("re_1")),
        ("v1.charge.refunded", "ch_1", "charge", Unnamed("ch_1")),
        ("v1.charge.dispute.created", "du_1", "dispute", Unnamed("du_1")),
        ("v1.payout.paid", "po_1", "payout", PaidOut("po_1")),
        ("payment_intent.succeeded", "pi_1", "payment_intent", Named("pi_1")),
    ],
)
def test_a_thin_event_names_its_object(type: str, object_id: str, kind: str, subject: Subject) -> None:
    """A thin charge, session, invoice, refund or dispute does not say which intent it belongs to."""
    assert about(thin(type, object_id, kind)) == subject


def test_a_customers_new_card_is_of_no_concern() -> None:
    """Of a customer only what reaches Zoho is listened to; what an event does not say may be anything."""
    event = snapshot("customer.updated", {"id": "cus_1"})
    event["data"]["previous_attributes"] = {"invoice_settings": {}, "default_source": None}
    assert about(event) == Nothing("of-no-concern")
    event["data"]["previous_attributes"]["email"] = "a@example.com"
    assert about(event) == Unnamed("cus_1")


@pytest.mark.parametrize(
    ("minor", "currency", "money"),
    [
        (4990, "eur", "49.90 EUR"),
        (500, "jpy", "500 JPY"),
        (12340, "kwd", "12.340 KWD"),
        (4990, "xxx", ""),
        (-1, "eur", ""),
        (10**30, "eur", ""),
        (True, "eur", ""),
        ("4990", "eur", ""),
        (4990, None, ""),
    ],
)
def test_money_is_shown_only_when_it_is_clear(minor: Any, currency: Any, money: str) -> None:
    """The amount in an event is a hint for people; an unclear one is left out."""
    intent = {"id": "pi_1", "amount_received": minor, "currency": currency}
    assert about(snapshot("payment_intent.succeeded", intent)) == Named("pi_1", money)


@pytest.mark.parametrize(
    ("type", "fields"),
    [
        ("payment_intent.succeeded", {"id": "in_1"}),
        ("payment_intent.succeeded", {"id": "pi_"}),
        ("payment_intent.succeeded", {"id": "pi_" + "x" * 300}),
        ("payment_intent.succeeded", {"id": "pi_1:other"}),
        ("payment_intent.succeeded", {}),
        ("charge.succeeded", {"id": "ch_1", "payment_intent": "../pi_1"}),
        ("charge.succeeded", {"payment_intent": "pi_1"}),
        ("checkout.session.completed", {"id": None}),
        ("invoice.paid", {"id": {"id": "in_1"}}),
        ("refund.created", {"id": "ch_1", "payment_intent": "pi_1"}),
        ("refund.created", {"id": "re_1", "payment_intent": "cus_1"}),
        ("charge.dispute.created", {"id": "re_1", "payment_intent": "pi_1"}),
        ("payout.paid", {"id": "pi_1"}),
        ("payout.paid", {}),
        ("charge.dispute.created", {"id": "du_1", "payment_intent": None, "charge": "../ch_1"}),
    ],
)
def test_an_event_without_a_proper_id_is_refused(type: str, fields: dict[str, Any]) -> None:
    """An id becomes part of a workflow's id, so it has to look like one of Stripe's."""
    with pytest.raises(BadDelivery, match="no-object"):
        about(snapshot(type, fields))


@given(
    type=st.sampled_from(SNAPSHOTS),
    subject=st.dictionaries(
        st.sampled_from(["id", "payment_intent", "charge", "invoice", "amount", "amount_total", "currency", "mode"]),
        JSON | st.sampled_from(["pi_1", "ch_1", "cs_1", "in_1", "re_1", "du_1", "eur", "jpy"]),
    ).filter(lambda found: "nan" not in repr(found) and "inf" not in repr(found)),
)
def test_any_object_is_understood_or_refused(type: str, subject: dict[str, Any]) -> None:
    """No object makes the ingress fail in another way than by refusing."""
    try:
        found = about(snapshot(type, subject))
    except BadDelivery:
        return
    assert isinstance(found, Subject)
