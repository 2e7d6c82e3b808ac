"""Every field of the order has its source in the payment."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from domain import mapping
from domain.mapping import UnknownTimeZone, map_order, mapping_hash, order_day
from domain.mapping_policy import MappingPolicy
from domain.orders import OrderDraft
from domain.payments import Address, Buyer, PaymentFacts
from domain.totals import RoundingRules
from tests.domain.stripe_like import PAID_AT, paid_line, payment, shipping

CENTS = RoundingRules(price_precision=2)
HOME = Address(line1="1 Main Street", city="Bonn", country="DE")
WORK = Address(line1="2 Side Street", city="Köln", country="DE")


def mapped(facts: PaymentFacts, *, time_zone: str = "Europe/Berlin", **policy: object) -> OrderDraft:
    """The order of `facts` under a policy."""
    choices = MappingPolicy.model_validate(policy)
    return map_order(facts, choices, time_zone=time_zone, settings=CENTS)


def test_head_of_the_order() -> None:
    """Number, reference, total and custom fields come from the ids and the money received."""
    draft = mapped(payment(paid_line("4990")))
    assert (draft.number, draft.reference) == ("SO-3TestPayment", "pi_3TestPayment")
    assert str(draft.total) == "49.90 EUR"
    assert draft.custom_fields == {
        "cf_stripe_charge_id": "ch_3TestPayment",
        "cf_stripe_payment_id": "pi_3TestPayment",
    }


def test_custom_fields_are_the_shops_choice() -> None:
    """A field without a name is left out, and so is an id that does not exist."""
    facts = payment(paid_line(), charge_id="")
    assert mapped(facts, payment_field="").custom_fields == {}
    assert mapped(facts, payment_field="cf_pay").custom_fields == {"cf_pay": "pi_3TestPayment"}


def test_lines_carry_what_was_sold() -> None:
    """Stored link, SKU, text, quantity, rate, discount and tax of each line, in Stripe's order."""
    mug = paid_line("1000", 3, discount=150, rates=[("19", False)])
    cup = paid_line("0.5", 100, sku="CUP", line_id="li_2").model_copy(update={"item_id": "460000000012345678"})
    first, second = mapped(payment(mug, cup)).lines
    assert (first.line_id, first.sku, first.item_id, first.product_id) == ("li_1", "MUG", "", "prod_1")
    assert (first.description, first.quantity, first.rate) == ("Mug", 3, Decimal("10.00"))
    assert (str(first.discount), first.tax_percentage) == ("1.50 EUR", Decimal("19"))
    assert (second.sku, second.item_id, second.rate) == ("CUP", "460000000012345678", Decimal("0.005"))
    assert second.tax_percentage is None


def test_net_prices_make_a_net_order() -> None:
    """With taxes on top the order is exclusive, and its tax is Stripe's."""
    draft = mapped(payment(paid_line("1000", rates=[("19", False)])))
    assert (draft.inclusive, str(draft.tax), str(draft.total)) == (False, "1.90 EUR", "11.90 EUR")


def test_one_gross_price_makes_a_gross_order() -> None:
    """With one tax inside its price all rates are gross, and every line still comes to what was paid for
    it.
    """
    gross = paid_line("1190", rates=[("19", True)])
    net = paid_line("1000", 3, discount=100, rates=[("7", False)], line_id="li_2")
    draft = mapped(payment(gross, net, paid_line("500", line_id="li_3")))
    assert draft.inclusive
    assert [line.rate * line.quantity - line.discount.decimal() for line in draft.lines] == [
        Decimal("11.90"),
        Decimal("31.03"),
        Decimal("5.00"),
    ]


def test_several_taxes_of_a_line_make_a_gross_order() -> None:
    """Two taxes on top of a price are written gross, for nobody knows how Zoho rounds a group of taxes."""
    draft = mapped(payment(paid_line("1000", 3, rates=[("5", False), ("9.975", False)])))
    (line,) = draft.lines
    assert (draft.inclusive, str(draft.tax), str(draft.adjustment)) == (True, "4.49 EUR", "0.00 EUR")
    assert (line.rate, line.tax_percentage) == (Decimal("11.496667"), Decimal("14.975"))
    assert line.discount.minor == 0


def test_rounding_is_adjusted() -> None:
    """Stripe's cent a line that Zoho does not round the same way goes into the adjustment."""
    lines = [paid_line("33", rates=[("5", False)], line_id=f"li_{i}") for i in range(3)]
    draft = mapped(payment(*lines))
    assert (str(draft.total), str(draft.adjustment)) == ("1.05 EUR", "0.01 EUR")


def test_untaxed_shipping_is_a_charge() -> None:
    """Shipping without tax is the order's shipping charge, whatever the shipping item is."""
    draft = mapped(payment(paid_line(), cost=shipping(499)), shipping_sku="SHIP")
    assert (len(draft.lines), str(draft.shipping_charge)) == (1, "4.99 EUR")


def test_taxed_shipping_is_a_line_of_its_own() -> None:
    """Shipping with tax becomes the shop's shipping item, and its tax is counted."""
    draft = mapped(payment(paid_line(), cost=shipping(500, rates=[("20", False)])), shipping_sku="SHIP")
    assert [line.sku for line in draft.lines] == ["MUG", "SHIP"]
    assert (str(draft.shipping_charge), str(draft.tax)) == ("0.00 EUR", "1.00 EUR")


def test_a_payment_without_lines_is_adjusted_by_nothing() -> None:
    """Where nothing was sold the whole amount is no rounding."""
    assert mapped(payment()).adjustment.minor == 0


@pytest.mark.parametrize(
    ("zone", "day"),
    [("Europe/Berlin", 23), ("UTC", 22), ("America/New_York", 22), ("Asia/Tokyo", 23), ("PST", 22)],
)
def test_the_day_is_the_organisations(zone: str, day: int) -> None:
    """23:30 UTC is the next day in Berlin and Tokyo."""
    draft = mapped(payment(paid_line()), time_zone=zone, shipment_days=2)
    assert (draft.order_date, draft.shipment_date) == (date(2026, 11, day), date(2026, 11, day + 2))


def test_no_promise_without_a_policy() -> None:
    """The shipment date is left out unless the shop promises days."""
    assert mapped(payment(paid_line())).shipment_date is None
    assert mapped(payment(paid_line()), shipment_days=0).shipment_date == date(2026, 11, 23)


def test_daylight_saving_is_kept() -> None:
    """22:30 UTC is midnight and a half in Berlin's summer only."""
    assert order_day(datetime(2026, 7, 1, 22, 30, tzinfo=UTC), "Europe/Berlin") == date(2026, 7, 2)
    assert order_day(datetime(2026, 12, 1, 22, 30, tzinfo=UTC), "Europe/Berlin") == date(2026, 12, 1)


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "Europe/Berlin\x00"])
def test_an_unknown_time_zone_is_refused(name: str) -> None:
    """A zone that no table has is an error that says where to set it."""
    with pytest.raises(UnknownTimeZone, match="Organization Profile"):
        order_day(PAID_AT, name)


def test_people_and_addresses() -> None:
    """Buyer and addresses are Stripe's; the buyer's own address bills where no other is given."""
    buyer = Buyer(name="Ada", email="ada@example.org", address=HOME)
    facts = payment(paid_line(), buyer=buyer, shipping=WORK)
    assert (mapped(facts).buyer, mapped(facts).billing, mapped(facts).shipping) == (buyer, HOME, WORK)
    billed = facts.model_copy(update={"billing": WORK})
    assert mapped(billed).billing == WORK


def test_notes_say_where_it_came_from() -> None:
    """The notes hold the payment's words and Stripe's ids."""
    facts = payment(paid_line(), description="Spring sale", session_id="cs_1", invoice_id="in_1")
    assert mapped(facts).notes.split("\n") == [
        "Spring sale",
        "Stripe payment pi_3TestPayment",
        "Stripe checkout session cs_1",
        "Stripe invoice in_1",
    ]


def test_the_same_policy_has_the_same_hash() -> None:
    """The hash follows the policy's values and nothing else."""
    plain = mapping_hash(MappingPolicy())
    assert plain == mapping_hash(MappingPolicy.model_validate({"sku_keys": ["sku"]}))
    assert len({plain, mapping_hash(MappingPolicy(shipping_sku="S")), mapping_hash(MappingPolicy(sku_keys=()))}) == 3
    assert len(plain) == 64


def test_another_version_is_another_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever changes what an order looks like raises the version, and runs see another hash."""
    before = mapping_hash(MappingPolicy())
    monkeypatch.setattr(mapping, "MAPPING_VERSION", mapping.MAPPING_VERSION + 1)
    assert mapping_hash(MappingPolicy()) != before
