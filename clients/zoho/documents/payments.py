"""What Zoho is sent as money received."""

from __future__ import annotations

from datetime import date as Date
from decimal import Decimal

from pydantic import Field

from clients.zoho.documents import CustomField, Document


class InvoiceShare(Document):
    """How much of a payment an invoice gets."""

    invoice_id: str = Field(min_length=1)
    amount_applied: Decimal


class NewPayment(Document):
    """Money received. `bank_charges`: the fee within `amount`; `account_id` "": to Undeposited Funds."""

    customer_id: str = Field(min_length=1)
    payment_mode: str = Field(min_length=1)
    amount: Decimal = Field(gt=0)
    date: Date
    reference_number: str = Field(default="", max_length=100)
    description: str = ""
    invoices: tuple[InvoiceShare, ...] = Field(min_length=1)
    bank_charges: Decimal | None = None
    account_id: str = ""
    exchange_rate: Decimal | None = None
    custom_fields: tuple[CustomField, ...] = ()
