"""What Zoho answers about sales orders, and the packages and shipments that hang on them."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from clients.zoho.records import Record
from clients.zoho.records.contacts import ContactAddress
from clients.zoho.records.credits import LinkedCreditNote, LinkedRefund
from clients.zoho.records.invoices import LinkedInvoice
from clients.zoho.records.payments import LinkedPayment


class SalesOrderLine(Record):
    """A line of a sales order. `item_total` is after discount, without tax where tax comes on top."""

    line_item_id: str = Field(min_length=1)
    item_id: str = ""
    sku: str = ""
    name: str = ""
    rate: Decimal = Decimal(0)
    quantity: Decimal = Decimal(0)
    discount: Decimal | str = Decimal(0)
    tax_id: str = ""
    tax_percentage: Decimal = Decimal(0)
    item_total: Decimal = Decimal(0)
    quantity_invoiced: Decimal = Decimal(0)
    quantity_packed: Decimal = Decimal(0)
    quantity_shipped: Decimal = Decimal(0)
    item_type: str = ""


class SalesOrderRow(Record):
    """A sales order as a list shows it, and what every detail has too."""

    salesorder_id: str = Field(min_length=1)
    salesorder_number: str = ""
    reference_number: str = ""
    status: str = ""
    order_status: str = ""
    customer_id: str = ""
    currency_code: str = ""
    date: str = ""
    total: Decimal = Decimal(0)


class LinkedPackage(Record):
    """A package as its sales order shows it, with the words of its shipment where it has one."""

    package_id: str = Field(min_length=1)
    package_number: str = ""
    status: str = ""
    shipment_id: str = ""
    shipment_number: str = ""
    shipment_status: str = ""
    shipment_date: str = ""
    carrier: str = ""
    tracking_number: str = ""


class Package(Record):
    """Goods of an order in one box."""

    package_id: str = Field(min_length=1)
    package_number: str = ""
    salesorder_id: str = ""


class Shipment(Record):
    """Packages on their way. `tracking_number` and `carrier` are "" until a carrier or a person says them."""

    shipment_id: str = Field(min_length=1)
    shipment_number: str = ""
    status: str = ""
    carrier: str = ""
    tracking_number: str = ""
    reference_number: str = ""


class LinkedReturn(Record):
    """A return as its sales order shows it."""

    salesreturn_id: str = Field(min_length=1)
    salesreturn_status: str = ""


class SalesOrder(SalesOrderRow):
    """A sales order with all that hangs on it: one look tells the state of the whole flow.

    `so_cycle_preference` is the organisation's automation as Zoho sends it: where it makes packages, invoices
    or payments by itself, ours would double them.
    """

    total: Decimal
    sub_total: Decimal = Decimal(0)
    tax_total: Decimal = Decimal(0)
    shipping_charge: Decimal = Decimal(0)
    adjustment: Decimal = Decimal(0)
    balance: Decimal | None = None
    is_inclusive_tax: bool = False
    line_items: tuple[SalesOrderLine, ...] = ()
    invoices: tuple[LinkedInvoice, ...] = ()
    payments: tuple[LinkedPayment, ...] = ()
    packages: tuple[LinkedPackage, ...] = ()
    salesreturns: tuple[LinkedReturn, ...] = ()
    creditnotes: tuple[LinkedCreditNote, ...] = ()
    refunds: tuple[LinkedRefund, ...] = ()
    billing_address: ContactAddress = ContactAddress()
    shipping_address: ContactAddress = ContactAddress()
    custom_field_hash: dict[str, object] = Field(default_factory=dict)
    so_cycle_preference: dict[str, object] = Field(default_factory=dict)
