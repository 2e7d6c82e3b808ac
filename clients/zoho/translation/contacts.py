"""Payers and addresses."""

from __future__ import annotations

from clients.zoho.documents.contacts import ChangedPerson, NewContact, NewContactPerson, ZohoAddress
from clients.zoho.records.contacts import Contact, ContactAddress
from domain.documents import ContactDocument
from domain.orders import OrderDraft
from domain.payments import Address


def zoho_address(address: Address) -> ZohoAddress:
    return ZohoAddress(
        attention=address.name,
        address=address.line1,
        street2=address.line2,
        city=address.city,
        state=address.state,
        zip=address.postal_code,
        country=address.country,
        phone=address.phone,
    )


def address_of(row: ContactAddress) -> Address:
    return Address(
        name=row.attention,
        line1=row.address,
        line2=row.street2,
        city=row.city,
        state=row.state,
        postal_code=row.zip,
        country=row.country,
        phone=row.phone,
    )


def new_contact(name: str, draft: OrderDraft, currency_id: str) -> NewContact:
    buyer = draft.buyer
    first, _, last = buyer.name.partition(" ")
    person = NewContactPerson(first_name=first or name[:100], last_name=last, email=buyer.email, phone=buyer.phone)
    return NewContact(
        contact_name=name[:200],
        currency_id=currency_id,
        billing_address=zoho_address(draft.billing),
        shipping_address=zoho_address(draft.shipping),
        contact_persons=(person,),
        notes=f"Stripe customer {buyer.customer_id}" if buyer.customer_id else "Stripe guest",
    )


def person_of(draft: OrderDraft) -> tuple[str, str, str, str]:
    """First name, last name, e-mail and phone of the draft's payer."""
    first, _, last = draft.buyer.name.partition(" ")
    return first or draft.contact.names[0][:100], last, draft.buyer.email or draft.contact.email, draft.buyer.phone


def changed_person(contact_id: str, draft: OrderDraft) -> ChangedPerson:
    first, last, email, phone = person_of(draft)
    return ChangedPerson(contact_id=contact_id, first_name=first, last_name=last, email=email, phone=phone)


def contact_document(row: Contact) -> ContactDocument:
    return ContactDocument(
        contact_id=row.contact_id,
        name=row.contact_name,
        email=row.email,
        kind=row.contact_type or "customer",
        currency=row.currency_code,
        active=row.status in ("", "active"),
        billing_address_id=row.billing_address.address_id,
        shipping_address_id=row.shipping_address.address_id,
    )
