"""Which of Stripe's words changed since an order was written, and what the order would say now."""

from __future__ import annotations

from typing import Any

import pytest

from domain.mapping import map_order
from domain.mapping_policy import MappingPolicy
from domain.orders import OrderDraft
from domain.payments import Address, Buyer, ChargeSays, PaymentFacts
from domain.renewal import differs, renewed
from domain.totals import RoundingRules
from tests.domain.stripe_like import paid_line, payment

MAPPING = MappingPolicy(metadata_fields={"cart": "cf_cart"})
OLD = Address(name="Ada", line1="Row 1", city="London", country="GB")
NEW = Address(name="Ada", line1="Hafen 3", city="Kiel", country="DE")
FACTS = payment(paid_line()).model_copy(
    update={
        "buyer": Buyer(name="Ada", email="ada@example.com"),
        "billing": OLD,
        "shipping": OLD,
        "metadata": {"cart": "1"},
        "receipt_email": "receipts@example.com",
        "at_charge": ChargeSays(receipt_email="receipts@example.com", shipping=OLD, metadata={"cart": "1"}),
    }
)


def written(facts: PaymentFacts = FACTS) -> OrderDraft:
    """The order as it was written."""
    return map_order(facts, MAPPING, time_zone="UTC", settings=RoundingRules(price_precision=2))


def now(**changes: Any) -> OrderDraft:
    """The order as it would be written after `changes`."""
    return renewed(written(), FACTS, FACTS.model_copy(update=changes), MAPPING)


def at_charge(**changes: Any) -> ChargeSays:
    """What the charge says after `changes`."""
    return FACTS.at_charge.model_copy(update=changes)


def test_nothing_changed_is_no_difference() -> None:
    """Also where a receipt goes elsewhere than to the payer: it did when the order was written."""
    assert now() == written()
    assert not any(differs(written(), now()).model_dump().values())


@pytest.mark.parametrize("changes", [{"at_charge": at_charge(shipping=NEW)}, {"shipping": NEW}])
def test_the_place_that_changed_counts(changes: dict[str, Any]) -> None:
    """Intent or charge: whichever was edited."""
    assert now(**changes).shipping == NEW
    assert differs(written(), now(**changes)).address


def test_a_charge_that_always_said_otherwise_is_not_news() -> None:
    """The intent was corrected before the capture; the charge still says the old address, and that is no change."""
    before = FACTS.model_copy(update={"shipping": NEW})
    draft = written(before)
    assert draft.shipping == NEW
    assert renewed(draft, before, before, MAPPING).shipping == NEW


def test_an_address_that_is_gone_is_kept() -> None:
    """What Stripe does not tell any more is not taken from the order."""
    assert now(shipping=Address(), at_charge=at_charge(shipping=Address())).shipping == OLD


def test_spelling_is_no_difference() -> None:
    """Case and spacing are not worth a write."""
    loud = OLD.model_copy(update={"city": " LONDON "})
    assert not differs(written(), now(shipping=loud)).address


def test_customers_record_is_the_payer() -> None:
    """Name, e-mail and phone of the payer; the draft's identity follows."""
    draft = now(buyer=Buyer(name="Ada L", email="Lovelace@example.com", phone="1"))
    assert (draft.buyer.name, draft.contact.email) == ("Ada L", "lovelace@example.com")
    assert differs(written(), draft).person


def test_receipt_of_a_guest_is_his_email_and_a_customers_is_not() -> None:
    """A customer's e-mail stands on the customer."""
    moved = at_charge(receipt_email="new@example.com")
    assert now(at_charge=moved).contact.email == "new@example.com"
    customer = FACTS.model_copy(update={"buyer": FACTS.buyer.model_copy(update={"customer_id": "cus_1"})})
    later = customer.model_copy(update={"at_charge": moved})
    assert renewed(written(customer), customer, later, MAPPING).contact.email == "ada@example.com"


@pytest.mark.parametrize("changes", [{"metadata": {"cart": "2"}}, {"at_charge": at_charge(metadata={"cart": "2"})}])
def test_metadata_fills_its_field_anew(changes: dict[str, Any]) -> None:
    """Whichever of the two was edited; ids stay."""
    draft = now(**changes)
    assert draft.custom_fields == written().custom_fields | {"cf_cart": "2"}
    assert differs(written(), draft).fields
    assert not differs(written(), draft).person
