"""The payer's contact and its addresses, as they cross Temporal: by Zoho's ids, never a name."""

from __future__ import annotations

from enum import StrEnum

from domain.payments import Fact
from domain.runs import PaymentRef


class ContactClaim(Fact):
    """The contact, if it is known; `mine` says that this run has the right to look for it and create it."""

    contact_id: str = ""
    mine: bool = False


class ContactInput(PaymentRef):
    """A contact to find or create. `name_choice` counts up while names are taken."""

    order_ref: str
    name_choice: int = 0
    after: int = 0


class ContactWritten(Fact):
    """`taken` where the name belongs to somebody else; `unknown` where the answer was lost.

    A look that found no contact tells the first name that it did not see taken as `name_choice`.
    """

    contact_id: str = ""
    name_choice: int = 0
    taken: bool = False
    unknown: bool = False
    asked: int = 0


class AddressUse(StrEnum):
    """Which of an order's two addresses."""

    BILLING = "billing"
    SHIPPING = "shipping"


class AddressPlan(Fact):
    """Zoho's ids of the order's addresses, "" where it has none; `missing` are those the contact does not have yet.

    `same` says that both are one address, which is added once; `unread` that the contact may have them all the same.
    """

    billing_address_id: str = ""
    shipping_address_id: str = ""
    missing: tuple[AddressUse, ...] = ()
    same: bool = False
    unread: bool = False


class AddressPlanInput(PaymentRef):
    """Which of the order's addresses does the contact have?"""

    order_ref: str
    contact_id: str


class AddressInput(PaymentRef):
    """An address to add to a contact."""

    order_ref: str
    contact_id: str
    use: AddressUse = AddressUse.BILLING
    after: int = 0


class AddressWritten(Fact):
    """An address at a contact, by Zoho's id."""

    address_id: str = ""
    unknown: bool = False
    asked: int = 0
