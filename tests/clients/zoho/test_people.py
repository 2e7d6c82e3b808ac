"""Which person of a contact is the payer, and whether Zoho says of him what Stripe says."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from clients.zoho.client import ZohoClient
from clients.zoho.gateway import ZohoGateway
from domain.contacts import ContactIdentity
from domain.money import Money
from domain.orders import OrderDraft
from domain.payments import Buyer
from tests.clients.zoho.conftest import Zoho, answer

ZERO = Money.of(0, "EUR")
DRAFT = OrderDraft(
    number="SO-1",
    reference="pi_1",
    order_date=date(2026, 11, 25),
    inclusive=False,
    lines=(),
    shipping_charge=ZERO,
    adjustment=ZERO,
    tax=ZERO,
    total=ZERO,
    buyer=Buyer(name="Ada Lovelace", email="New@example.com"),
    contact=ContactIdentity(email="new@example.com", currency="EUR", names=("Ada Lovelace",)),
)


def person(number: int, email: str, **more: Any) -> dict[str, Any]:
    """A person of a contact as Zoho shows it."""
    return {"contact_person_id": str(number), "first_name": "Ada", "last_name": "Lovelace", "email": email, **more}


@pytest.mark.parametrize(
    ("persons", "found", "same"),
    [
        ([person(1, "old@example.com")], "1", False),
        ([person(1, "boss@example.com", is_primary_contact=True), person(2, "OLD@example.com")], "2", False),
        ([person(1, "old@example.com"), person(2, "new@example.com")], "2", True),
        ([person(1, "new@example.com", last_name="Byron")], "1", False),
        ([person(1, "")], "1", False),
        ([person(1, "somebody@example.com", is_primary_contact=True)], "", False),
        ([], "", False),
    ],
)
async def test_the_payer_is_known_by_his_email(
    zoho: Zoho, client: ZohoClient, persons: list[dict[str, Any]], found: str, same: bool
) -> None:
    """The new e-mail before the old one; one without any is he; one whom somebody gave another is not."""
    zoho.says(answer({"contact": {"contact_id": "14", "contact_name": "Ada", "contact_persons": persons}}))
    seen = await ZohoGateway(client).contact_person("14", DRAFT, "old@example.com")
    assert (seen.person_id, seen.same) == (found, same)


async def test_a_phone_that_stripe_does_not_tell_is_no_difference(zoho: Zoho, client: ZohoClient) -> None:
    """What Zoho knows besides stays."""
    known = person(1, "new@example.com", phone="+49 30 1")
    zoho.says(answer({"contact": {"contact_id": "14", "contact_name": "Ada", "contact_persons": [known]}}))
    assert (await ZohoGateway(client).contact_person("14", DRAFT, "old@example.com")).same
