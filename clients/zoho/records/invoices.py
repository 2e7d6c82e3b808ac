"""What Zoho answers about invoices."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from clients.zoho.records import Record
from clients.zoho.records.payments import LinkedPayment
from clients.zoho.records.stock import StockFigures


class LinkedInvoice(Record):
    """An invoice as its sales order shows it."""

    invoice_id: str = Field(min_length=1)
    invoice_number: str = ""
    reference_number: str = ""
    status: str = ""
    total: Decimal = Decimal(0)
    balance: Decimal = Decimal(0)


class InvoiceLine(StockFigures):
    """A line of an invoice, with what Zoho says of the item's stock at that moment."""

    line_item_id: str = Field(min_length=1)
    salesorder_item_id: str = ""
    item_id: str = ""
    sku: str = ""
    rate: Decimal = Decimal(0)
    quantity: Decimal = Decimal(0)
    tax_id: str = ""
    tax_percentage: Decimal = Decimal(0)
    item_total: Decimal = Decimal(0)
    actual_committed_stock: Decimal | None = None
    actual_available_for_sale_stock: Decimal | None = None


class InvoiceRow(LinkedInvoice):
    """An invoice as a list shows it, and what every detail has too."""

    customer_id: str = ""
    currency_code: str = ""
    date: str = ""


class Invoice(InvoiceRow):
    """An invoice with its lines and the payments it has had."""

    total: Decimal
    balance: Decimal
    salesorder_id: str = ""
    exchange_rate: Decimal | None = None
    sub_total: Decimal = Decimal(0)
    tax_total: Decimal = Decimal(0)
    shipping_charge: Decimal = Decimal(0)
    adjustment: Decimal = Decimal(0)
    write_off_amount: Decimal = Decimal(0)
    line_items: tuple[InvoiceLine, ...] = ()
    payments: tuple[LinkedPayment, ...] = ()
