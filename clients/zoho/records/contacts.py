"""What Zoho answers about customers, their people and addresses."""

from __future__ import annotations

from pydantic import Field

from clients.zoho.postal import PostalFields
from clients.zoho.records import Record


class ContactAddress(PostalFields, Record):
    """A contact's address; only one that was saved has an `address_id`."""

    address_id: str = ""


class SavedAddress(ContactAddress):
    """An address that was saved: it has an id."""

    address_id: str = Field(min_length=1)


class ContactPerson(Record):
    """A person of a contact."""

    contact_person_id: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str = ""
    is_primary_contact: bool = False


class Contact(Record):
    """A customer. Documents take their currency from it. Rows of a list lack the addresses and persons."""

    contact_id: str = Field(min_length=1)
    contact_name: str = ""
    contact_type: str = ""
    email: str = ""
    status: str = ""
    last_modified_time: str = ""
    currency_id: str = ""
    currency_code: str = ""
    billing_address: ContactAddress = ContactAddress()
    shipping_address: ContactAddress = ContactAddress()
    contact_persons: tuple[ContactPerson, ...] = ()
