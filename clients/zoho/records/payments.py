"""What Zoho answers about money received."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from clients.zoho.records import Record


class LinkedPayment(Record):
    """A payment as an invoice or a sales order shows it. `amount` is what went to that document."""

    payment_id: str = Field(min_length=1)
    payment_number: str = ""
    invoice_payment_id: str = ""
    reference_number: str = ""
    amount: Decimal = Decimal(0)
    date: str = ""


class AppliedInvoice(Record):
    """An invoice as a payment shows it: how much of the payment it took."""

    invoice_id: str = Field(min_length=1)
    invoice_payment_id: str = ""
    amount_applied: Decimal = Decimal(0)
    total: Decimal | None = None
    balance: Decimal | None = None


class Payment(Record):
    """Money received. Rows of a list lack `invoices`. `unused_amount` was applied to nothing."""

    payment_id: str = Field(min_length=1)
    payment_number: str = ""
    amount: Decimal
    reference_number: str = ""
    customer_id: str = ""
    currency_code: str = ""
    payment_mode: str = ""
    date: str = ""
    bank_charges: Decimal = Decimal(0)
    unused_amount: Decimal = Decimal(0)
    account_id: str = ""
    exchange_rate: Decimal | None = None
    invoices: tuple[AppliedInvoice, ...] = ()
