"""Who a payment's customer is to Zoho, and when two addresses are one."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from domain.documents import ContactDocument
from domain.payments import Address, Fact, PaymentFacts

# Zoho's limit of `contact_name`.
NAME_LIMIT = 200


class ContactIdentity(Fact):
    """By what a contact is found or made. Holds people's data: never in Temporal.

    `email` is lower case, "" where unknown. A contact's currency is fixed in Zoho, so one customer paying in two
    currencies is two contacts. `names` are the display names to try, in order, while others are taken.
    """

    customer_id: str = ""
    email: str = ""
    currency: str
    names: tuple[str, ...]


def contact_identity(facts: PaymentFacts) -> ContactIdentity:
    """The identity behind `facts`; a buyer without name or e-mail is named after the customer or payment id."""
    buyer = facts.buyer
    email = normal_email(buyer.email or facts.receipt_email)
    unnamed = f"Stripe customer {buyer.customer_id or facts.payment_id}"
    known = (buyer.name, facts.billing.name, facts.shipping.name, email, unnamed)
    name = next(filter(None, (_one_line(text) for text in known)))
    marks = (_one_line(text) for text in (email, buyer.customer_id, facts.payment_id))
    mark = next(mark for mark in marks if mark and mark != name)
    currency = facts.money.currency
    names = (_limited(name), _limited(name, f" ({mark})"), _limited(name, f" ({mark}) {currency}"))
    return ContactIdentity(customer_id=buyer.customer_id, email=email, currency=currency, names=names)


def payer_among(rows: Sequence[ContactDocument], identity: ContactIdentity) -> ContactDocument | None:
    """The contact that is the payer; a vendor never is, nor is the same person in another currency."""
    return next((row for row in rows if _is_payer(row, identity)), None)


def free_name(rows: Sequence[ContactDocument], identity: ContactIdentity) -> int:
    """The place of the first of the payer's names that none of `rows` has; the last one's where all are taken.

    The same payer in another currency, or a vendor of the same address, may have one already.
    """
    taken = {row.name for row in rows}
    free = (place for place, name in enumerate(identity.names) if name not in taken)
    return next(free, len(identity.names) - 1)


def display_name(identity: ContactIdentity, choice: int) -> str:
    """Without an e-mail only the last name tells the payer from a namesake, so it is the only one used."""
    return identity.names[choice if identity.email else -1]


def _is_payer(row: ContactDocument, identity: ContactIdentity) -> bool:
    if row.kind != "customer" or not row.active or row.currency != identity.currency:
        return False
    if identity.email:
        return normal_email(row.email) == identity.email
    return row.name == identity.names[-1]


def normal_email(email: str) -> str:
    """Trimmed and in lower case: mail servers that tell cases apart are not found in the wild."""
    return email.strip().lower()


def address_fingerprint(address: Address) -> str:
    """Canonical text of an address: equal where case, spacing and Unicode forms are all that differs.

    It is personal data in the clear: hash it with a key before it is kept.
    """
    fields = address.model_dump()
    return "\x1f".join(_canonical(fields[name]) for name in sorted(fields))


def _canonical(text: str) -> str:
    return _one_line(unicodedata.normalize("NFKC", text).casefold())


def _one_line(text: str) -> str:
    printable = (" " if unicodedata.category(letter) == "Cc" else letter for letter in text)
    return " ".join("".join(printable).split())


def _limited(name: str, suffix: str = "") -> str:
    return name[: NAME_LIMIT - len(suffix)].rstrip() + suffix
