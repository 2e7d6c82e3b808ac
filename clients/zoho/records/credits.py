"""What Zoho answers about credit notes and what went back of them."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from clients.zoho.records import Record


class LinkedCreditNote(Record):
    """A credit note as its return or its sales order shows it."""

    creditnote_id: str = Field(min_length=1)
    creditnote_number: str = ""
    reference_number: str = ""
    status: str = ""
    currency_code: str = ""
    total: Decimal = Decimal(0)


class LinkedRefund(Record):
    """A refund of a credit note as its sales order shows it."""

    creditnote_refund_id: str = ""
    amount: Decimal | None = None


class CreditNoteRow(LinkedCreditNote):
    """A credit note as a list shows it, and what every detail has too."""

    customer_id: str = ""
    reference_number: str = ""
    date: str = ""
    total: Decimal
    balance: Decimal = Decimal(0)


class CreditNoteLine(Record):
    """A line of a credit note, with the lines of invoice and return that it credits."""

    quantity: Decimal = Decimal(0)
    invoice_item_id: str = ""
    salesreturn_item_id: str = ""


class CreditNote(CreditNoteRow):
    """A credit note with its lines."""

    invoice_id: str = ""
    salesorder_id: str = ""
    salesreturn_id: str = ""
    line_items: tuple[CreditNoteLine, ...] = ()


class CreditNoteRefund(Record):
    """Money of a credit note that went back. `amount_bcy`: in the organisation's own currency, as lists show it."""

    creditnote_refund_id: str = Field(min_length=1)
    amount_bcy: Decimal | None = None
    reference_number: str = ""
