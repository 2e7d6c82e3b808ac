"""What counts as a difference between an order as it was written and as Zoho shows it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.contacts import ContactIdentity
from domain.documents import InvoiceDocument, OrderDocumentLine, PackageDocument, ShipmentDocument
from domain.drift import (
    CreditState,
    Difference,
    OrderState,
    WrittenDocuments,
    credited_by_hand,
    differences,
    shown_fields,
    told_by_us,
    told_by_zoho,
    written_fields,
)
from domain.money import Money
from domain.orders import OrderDraft, OrderLine
from domain.payments import Address, Buyer
from domain.policy import ShipmentKeys
from domain.shipping import ShipmentWritten
from tests.workflows import samples

TOTAL = Money.of(3570, "EUR")
HOME = Address(name="Ada", line1="Unter den Linden 1", city="Berlin", postal_code="10117", country="DE")
DRAFT = OrderDraft(
    number="SO-1",
    reference="pi_1",
    order_date=date(2026, 11, 26),
    inclusive=True,
    lines=(OrderLine(line_id="li_1", sku="MUG", quantity=2, rate=Decimal("17.85"), discount=TOTAL.zero()),),
    shipping_charge=TOTAL.zero(),
    adjustment=TOTAL.zero(),
    tax=TOTAL.zero(),
    total=TOTAL,
    buyer=Buyer(),
    contact=ContactIdentity(currency="EUR", names=("Ada",)),
    billing=HOME,
    custom_fields={"cf_stripe_payment_id": "pi_1", "cf_crm": "C-1"},
)
SENT = samples.ORDER.model_copy(update={"total": TOTAL})
NOTE = CreditState(creditnote_id="cn-1", number="CN-1", status="closed", total=TOTAL, refund_id="cr-1")
WRITTEN = WrittenDocuments(total=TOTAL, invoice_id="in-1", receipt_id="pay-1", shipment_id="sh-1", credits=(NOTE,))
SHIPMENT = ShipmentDocument(shipment_id="sh-1", tracking_number="T-1", carrier="DHL", status="shipped")
BOX = PackageDocument(package_id="pk-1", shipment=SHIPMENT)
ORDER = OrderState(
    salesorder_id="so-1",
    number="SO-1",
    reference="pi_1",
    status="confirmed",
    customer_id="c-1",
    total=TOTAL,
    lines=(OrderDocumentLine(line_item_id="l-1", item_id="i-1", quantity=Decimal("2.00")),),
    billing=HOME,
    fields={"cf_stripe_payment_id": "pi_1", "cf_crm": "C-1", "cf_other": "x"},
    invoices=(InvoiceDocument(invoice_id="in-1", status="paid", total=TOTAL, balance=TOTAL.zero()),),
    receipts={"pay-1": TOTAL},
    packages=(BOX,),
    credits=(NOTE,),
    repaid={"cr-1": TOTAL},
)


def found(**changes: object) -> tuple[Difference, ...]:
    """The differences of the order with these changes."""
    now = shown_fields(ORDER.model_copy(update=changes), WRITTEN)
    return differences(written_fields(DRAFT, SENT, WRITTEN), now)


def test_an_order_as_it_was_written_differs_in_nothing() -> None:
    """Whatever word Zoho has for an order that counts, and whatever it has besides."""
    for status in ("confirmed", "open", "invoiced", "fulfilled", "closed"):
        assert found(status=status, shipping=HOME) == ()


MORE = Money.of(3571, "EUR")
CHANGES: list[tuple[dict[str, object], dict[str, tuple[str, str]]]] = [
    ({"total": MORE}, {"total": ("35.70 EUR", "35.71 EUR")}),
    ({"total": None}, {"total": ("35.70 EUR", "")}),
    ({"status": "draft"}, {"status": ("confirmed", "draft")}),
    ({"number": "SO-2"}, {"number": ("SO-1", "SO-2")}),
    ({"reference": ""}, {"reference": ("", "")}),
    ({"customer_id": "c-2"}, {"customer": ("c-1", "c-2")}),
    (
        {"lines": (OrderDocumentLine(line_item_id="l-1", item_id="i-1", quantity=Decimal(3)),)},
        {"line 1 quantity": ("2", "3")},
    ),
    ({"lines": ()}, {"line 1 item": ("i-1", ""), "line 1 quantity": ("2", ""), "lines": ("1", "0")}),
    ({"lines": (*ORDER.lines, *ORDER.lines)}, {"lines": ("1", "2")}),
    ({"invoices": ()}, {"invoice": ("sent", "missing"), "invoice total": ("35.70 EUR", ""), "invoices": ("1", "0")}),
    ({"receipts": {}}, {"payment": ("35.70 EUR", "missing")}),
    ({"receipts": {"pay-1": MORE}}, {"payment": ("35.70 EUR", "35.71 EUR")}),
    ({"credits": ()}, {"credit note CN-1": ("35.70 EUR", "missing")}),
    ({"repaid": {"cr-2": TOTAL}}, {"refund of credit note CN-1": ("35.70 EUR", "missing")}),
    ({"repaid": {"cr-1": MORE}}, {"refund of credit note CN-1": ("35.70 EUR", "35.71 EUR")}),
    (
        {"repaid": {}, "credits": (NOTE.model_copy(update={"status": "open"}),)},
        {"refund of credit note CN-1": ("35.70 EUR", "missing")},
    ),
    (
        {"credits": (NOTE.model_copy(update={"status": "void"}),)},
        {"credit note CN-1": ("35.70 EUR", "void")},
    ),
    ({"packages": ()}, {"shipment": ("there", "missing")}),
    ({"billing": HOME.model_copy(update={"city": "Bonn"})}, {"billing address": ("", "")}),
    ({"fields": {**ORDER.fields, "cf_crm": "C-2"}}, {"field cf_crm": ("", "")}),
]


def test_an_order_that_tells_no_refunds_is_believed() -> None:
    """Of a note that is used up, or whose refund has no amount there."""
    assert found(repaid={}) == ()
    assert found(repaid={"cr-1": None}) == ()


def test_a_note_that_people_wrote_is_told() -> None:
    """One that counts, is none of ours and names no refund of Stripe's."""
    hand = CreditState(creditnote_id="cn-9", number="CN-9", status="open", total=TOTAL)
    silent = [{"status": "void"}, {"status": "draft"}, {"reference": "re_1"}, {"creditnote_id": "cn-1"}]
    for changes in silent:
        order = ORDER.model_copy(update={"credits": (NOTE, hand.model_copy(update=changes))})
        assert credited_by_hand(order, WRITTEN) == ()
    (told,) = credited_by_hand(ORDER.model_copy(update={"credits": (NOTE, hand)}), WRITTEN)
    assert str(told) == "credit note CN-9: nothing is now 35.70 EUR"


@pytest.mark.parametrize(("changes", "told"), CHANGES, ids=lambda one: "+".join(one))
def test_each_change_is_named_with_both_values(changes: dict[str, object], told: dict[str, tuple[str, str]]) -> None:
    """And nothing else is; what may be people's data is named without its values."""
    assert {one.field: (one.public().was, one.public().now) for one in found(**changes)} == told


def test_what_nobody_wrote_may_be_anything() -> None:
    """Fields that people own, and documents that we took back or never wrote, are not compared."""
    state = ORDER.model_copy(update={"fields": {"cf_stripe_payment_id": "pi_1", "cf_crm": "by hand"}, "receipts": {}})
    documents = WRITTEN.model_copy(update={"receipt_id": ""})
    was = written_fields(DRAFT, SENT, documents, carried=("cf_crm",))
    assert differences(was, shown_fields(state, documents)) == ()


def test_texts_are_compared_where_the_shop_wants_it() -> None:
    """Zoho may write a tick or an address in its own way; that it does is no person's change."""
    state = ORDER.model_copy(
        update={"billing": Address(), "fields": {"cf_stripe_payment_id": "PI_1 ", "cf_crm": "c-1"}}
    )
    now = shown_fields(state, WRITTEN)
    assert differences(written_fields(DRAFT, SENT, WRITTEN, texts=False), now) == ()
    assert [one.field for one in differences(written_fields(DRAFT, SENT, WRITTEN), now)] == ["billing address"]


def test_a_forgotten_draft_leaves_the_documents() -> None:
    """Where the dossier was deleted, totals and documents are still known from our effect rows."""
    was = written_fields(None, None, WRITTEN)
    assert [one.field for one in differences(was, shown_fields(ORDER.model_copy(update={"total": MORE}), WRITTEN))] == [
        "total"
    ]


WORDS = st.dictionaries(st.sampled_from(["total", "status", "line 1 item", "field cf_x"]), st.text(max_size=3))


@given(was=WORDS, now=WORDS)
def test_a_difference_is_exactly_what_differs(was: dict[str, str], now: dict[str, str]) -> None:
    """None is left out, none is invented, each once and by name; nothing differs from itself."""
    told = differences(was, now)
    assert {one.field for one in told} == {name for name in was if was[name] != now.get(name, "")}
    assert [one.field for one in told] == sorted(one.field for one in told)
    assert all((one.was, one.now) == (was[one.field], now.get(one.field, "")) for one in told)
    assert differences(was, {**now, **was}) == ()


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_lines_differ_where_their_quantities_do(before: list[int], after: list[int]) -> None:
    """Zoho's decimals are no difference, and neither is the number of lines missed."""
    draft = DRAFT.model_copy(
        update={"lines": tuple(DRAFT.lines[0].model_copy(update={"quantity": one}) for one in before)}
    )
    sent = SENT.model_copy(update={"item_ids": ("i-1",) * len(before)})
    lines = tuple(
        OrderDocumentLine(line_item_id="l-1", item_id="i-1", quantity=Decimal(one).quantize(Decimal("0.00")))
        for one in after
    )
    now = shown_fields(ORDER.model_copy(update={"lines": lines}), WRITTEN)
    assert bool(differences(written_fields(draft, sent, WRITTEN), now)) == (before != after)


KEYS = ShipmentKeys(date="shipped_on")


def test_every_shipment_is_told() -> None:
    """Two boxes under one number are one word; people's custom fields go under their own key."""
    second = SHIPMENT.model_copy(update={"shipment_id": "sh-2", "tracking_number": "T-2", "day": "2026-11-27"})
    other = PackageDocument(package_id="pk-3", shipment=second)
    state = ORDER.model_copy(update={"packages": (BOX, BOX, other)})
    assert told_by_zoho(state, KEYS, {"crm_id": "cf_crm", "contact": "contact_id", "none": "cf_none"}) == {
        "zoho_shipment_id": "sh-1, sh-2",
        "tracking_number": "T-1, T-2",
        "carrier": "DHL",
        "shipment_status": "shipped",
        "shipped_on": "2026-11-27",
        "crm_id": "C-1",
    }


def test_what_the_payments_run_told_is_known() -> None:
    """So that an order which nobody touched makes no write to Stripe."""
    written = ShipmentWritten.of(SHIPMENT, "pk-1")
    told = told_by_zoho(ORDER, ShipmentKeys(), {"crm_id": "cf_crm"})
    assert told.items() <= told_by_us(DRAFT, written, ShipmentKeys(), {"crm_id": "cf_crm"}).items()
