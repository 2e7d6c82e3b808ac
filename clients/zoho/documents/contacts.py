"""What Zoho is sent about customers, their people and addresses."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from clients.zoho.documents import Document
from clients.zoho.postal import PostalFields


class ZohoAddress(PostalFields, Document):
    """A postal address."""


class NewContactPerson(Document):
    """A person of a contact; a contact's e-mail is that of its primary person."""

    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str = ""
    is_primary_contact: bool = True


class ChangedPerson(Document):
    """A person that a contact has already. Zoho wants a first name."""

    contact_id: str = Field(min_length=1)
    first_name: str = Field(min_length=1)
    last_name: str = ""
    email: str = ""
    phone: str = ""


class NewContact(Document):
    """A customer. `contact_name` must be unique unless the organisation allows duplicates."""

    contact_name: str = Field(min_length=1, max_length=200)
    contact_type: Literal["customer", "vendor"] = "customer"
    company_name: str = ""
    currency_id: str = ""
    billing_address: ZohoAddress = ZohoAddress()
    shipping_address: ZohoAddress = ZohoAddress()
    contact_persons: tuple[NewContactPerson, ...] = ()
    notes: str = ""
