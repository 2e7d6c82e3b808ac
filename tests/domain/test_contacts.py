"""One person is one contact, and one door is one address."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.contacts import (
    NAME_LIMIT,
    address_fingerprint,
    contact_identity,
    display_name,
    free_name,
    normal_email,
    payer_among,
)
from domain.documents import ContactDocument
from domain.payments import Address, Buyer, PaymentFacts
from tests.domain.stripe_like import PROPERTY, paid_line, payment

HOME = Address(name="Ada Example", line1="1 Main Street", city="Bonn", postal_code="53111", country="DE")
texts = st.text(max_size=300)


def bought(**changes: Any) -> PaymentFacts:
    """A payment of 10 EUR with these changes."""
    return payment(paid_line(), **changes)


def test_names_to_try() -> None:
    """First the name, then the name with the e-mail, then with the currency."""
    identity = contact_identity(bought(buyer=Buyer(name=" Ada  Example\n", email=" Ada@Example.org ")))
    assert identity.email == "ada@example.org"
    assert identity.currency == "EUR"
    assert identity.names == (
        "Ada Example",
        "Ada Example (ada@example.org)",
        "Ada Example (ada@example.org) EUR",
    )


def row(contact_id: str, **changes: Any) -> ContactDocument:
    """A contact that is Ada in euros, but for these changes."""
    ada = {"name": "Ada Example", "email": "ADA@example.org", "currency": "EUR", "kind": "customer", "active": True}
    return ContactDocument(contact_id=contact_id, **{**ada, **changes})


ADA = contact_identity(bought(buyer=Buyer(name="Ada Example", email="ada@example.org")))
NAMESAKE = contact_identity(bought(buyer=Buyer(name="Ada Example")))


def test_only_the_payer_is_the_payer() -> None:
    """A vendor, an inactive contact, another currency or another e-mail is somebody else; a namesake too."""
    others = [
        row("v", kind="vendor"), row("i", active=False), row("y", currency="JPY"), row("e", email="eve@example.org")
    ]  # fmt: skip
    assert payer_among(others, ADA) is None
    assert payer_among([*others, row("a")], ADA) == row("a")
    assert payer_among([row("n", email="")], NAMESAKE) is None
    assert payer_among([row("m", name=NAMESAKE.names[-1], email="")], NAMESAKE) is not None


def test_the_first_free_name_is_taken() -> None:
    """Names that contacts have already are left out; without an e-mail only the last one is ever used."""
    assert free_name([], ADA) == 0
    assert free_name([row("v", kind="vendor")], ADA) == 1
    assert free_name([row("v", name=name) for name in ADA.names], ADA) == 2
    assert [display_name(ADA, choice) for choice in range(3)] == list(ADA.names)
    assert {display_name(NAMESAKE, choice) for choice in range(3)} == {NAMESAKE.names[-1]}


def test_two_currencies_are_two_contacts() -> None:
    """The same person paying yen has another identity, and a name of its own to fall back to."""
    euro = contact_identity(bought())
    yen = contact_identity(payment(paid_line(currency="JPY")))
    assert euro != yen
    assert euro.names[:2] == yen.names[:2]
    assert euro.names[2] != yen.names[2]


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"buyer": Buyer(email="a@b.c")}, ("a@b.c", "a@b.c (pi_3TestPayment)")),
        ({"buyer": Buyer(), "receipt_email": "R@b.c"}, ("r@b.c", "r@b.c (pi_3TestPayment)")),
        ({"buyer": Buyer(customer_id="cus_1"), "shipping": HOME}, ("Ada Example", "Ada Example (cus_1)")),
        ({"buyer": Buyer(customer_id="cus_1")}, ("Stripe customer cus_1", "Stripe customer cus_1 (cus_1)")),
        (
            {"buyer": Buyer()},
            ("Stripe customer pi_3TestPayment", "Stripe customer pi_3TestPayment (pi_3TestPayment)"),
        ),
    ],
)
def test_a_nameless_buyer_has_a_name(changes: dict[str, object], names: tuple[str, str]) -> None:
    """Without a name the addresses', the e-mail's or the id's is taken, and never an empty one."""
    assert contact_identity(bought(**changes)).names[:2] == names


def test_a_long_name_keeps_what_tells_it_apart() -> None:
    """A name above Zoho's limit is cut, the e-mail and the currency behind it are not."""
    names = contact_identity(bought(buyer=Buyer(name="x" * 500, email="a@b.c"))).names
    assert names == ("x" * 200, "x" * 192 + " (a@b.c)", "x" * 188 + " (a@b.c) EUR")


@PROPERTY
@given(texts, texts, texts)
def test_names_fit_zoho(name: str, email: str, customer_id: str) -> None:
    """Whatever people type, there are three different names of one line within Zoho's limit."""
    buyer = Buyer(name=name, email=email[:80], customer_id=customer_id[:40])
    names = contact_identity(bought(buyer=buyer)).names
    assert len(set(names)) == 3
    for tried in names:
        assert 0 < len(tried) <= NAME_LIMIT
        assert tried == " ".join(tried.split())


def test_e_mail_case_is_nothing() -> None:
    """The same mailbox typed in capitals is the same mailbox."""
    assert normal_email("  Ada@EXAMPLE.org") == normal_email("ada@example.org ")


@pytest.mark.parametrize(
    "changes",
    [
        {"line1": "1 MAIN  street "},
        {"line1": "１ Main Street"},
        {"city": "bonn"},
        {"country": "de"},
    ],
)
def test_the_same_door(changes: dict[str, str]) -> None:
    """Case, spacing and wide letters do not make another address."""
    assert address_fingerprint(HOME.model_copy(update=changes)) == address_fingerprint(HOME)


@pytest.mark.parametrize("field", list(Address.model_fields))
def test_another_door(field: str) -> None:
    """A change of any field makes another address."""
    assert address_fingerprint(HOME.model_copy(update={field: "other"})) != address_fingerprint(HOME)


def test_fields_do_not_run_together() -> None:
    """What stands in two fields is told apart from the same text in one."""
    assert address_fingerprint(Address(line1="a", line2="b")) != address_fingerprint(Address(line1="a b"))
    assert address_fingerprint(Address(line1="a\x1fb")) != address_fingerprint(Address(line1="a", line2="b"))
