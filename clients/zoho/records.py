"""What Zoho answers: tolerant at the edge. Unset values ("" or null) are absent, unknown fields are kept.

Ids are strings of 18 or 19 digits, amounts Decimals in major units of the document's currency, dates and
times as Zoho writes them (the organisation's zone). Field names come from recorded live answers and
Zoho's OpenAPI files.
"""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Record(BaseModel):
    """Any object of Zoho's."""

    model_config = ConfigDict(frozen=True, extra="allow", coerce_numbers_to_str=True)

    @model_validator(mode="before")
    @classmethod
    def _absent(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        return {key: value for key, value in data.items() if value is not None and value != ""}


class Organization(Record):
    """The organisation the token speaks for. `price_precision` counts decimals of its base currency."""

    organization_id: str = Field(min_length=1)
    name: str = ""
    time_zone: str = ""
    currency_code: str = ""
    price_precision: int = 2
    plan_name: str = ""
    sales_tax_type: str = ""


class Currency(Record):
    """A currency the organisation has. `exchange_rate`: one in base currency, 0 where Zoho tells none."""

    currency_id: str = Field(min_length=1)
    currency_code: str = Field(min_length=1)
    price_precision: int = 2
    exchange_rate: Decimal = Decimal(0)
    is_base_currency: bool = False


class Tax(Record):
    """A tax or a tax group."""

    tax_id: str = Field(min_length=1)
    tax_name: str = ""
    tax_percentage: Decimal = Decimal(0)
    tax_type: str = ""


class Item(Record):
    """Something sold. Stock is None where Zoho tells none (a service, an item that is not tracked).

    Which of the doubled stock names is the accounting ledger and which the physical one is not settled.
    """

    item_id: str = Field(min_length=1)
    sku: str = ""
    name: str = ""
    status: str = ""
    rate: Decimal = Decimal(0)
    product_type: str = ""
    item_type: str = ""
    tax_id: str = ""
    stock_on_hand: Decimal | None = None
    available_stock: Decimal | None = None
    actual_available_stock: Decimal | None = None
    committed_stock: Decimal | None = None
    available_for_sale_stock: Decimal | None = None
    track_inventory: bool | None = None
    is_combo_product: bool = False


class Adjustment(Record):
    """A change of stock that belongs to no document. `status` is `adjusted` once it counts."""

    inventory_adjustment_id: str = Field(min_length=1)
    reference_number: str = ""
    adjustment_type: str = ""
    status: str = ""


class ContactAddress(Record):
    """A contact's address; only one that was saved has an `address_id`."""

    address_id: str = ""
    attention: str = ""
    address: str = ""
    street2: str = ""
    city: str = ""
    state: str = ""
    zip: str = ""
    country: str = ""
    phone: str = ""


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
    currency_id: str = ""
    currency_code: str = ""
    billing_address: ContactAddress = ContactAddress()
    shipping_address: ContactAddress = ContactAddress()
    contact_persons: tuple[ContactPerson, ...] = ()


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


class LinkedInvoice(Record):
    """An invoice as its sales order shows it."""

    invoice_id: str = Field(min_length=1)
    invoice_number: str = ""
    reference_number: str = ""
    status: str = ""
    total: Decimal = Decimal(0)
    balance: Decimal = Decimal(0)


class LinkedPayment(Record):
    """A payment as an invoice or a sales order shows it. `amount` is what went to that document."""

    payment_id: str = Field(min_length=1)
    payment_number: str = ""
    invoice_payment_id: str = ""
    reference_number: str = ""
    amount: Decimal = Decimal(0)
    date: str = ""


class LinkedPackage(Record):
    """A package as its sales order shows it, with the words of its shipment where it has one."""

    package_id: str = Field(min_length=1)
    package_number: str = ""
    status: str = ""
    shipment_id: str = ""
    shipment_number: str = ""
    shipment_status: str = ""
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
    billing_address: ContactAddress = ContactAddress()
    shipping_address: ContactAddress = ContactAddress()
    custom_field_hash: dict[str, object] = Field(default_factory=dict)
    so_cycle_preference: dict[str, object] = {}


class InvoiceLine(Record):
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
    stock_on_hand: Decimal | None = None
    available_stock: Decimal | None = None
    committed_stock: Decimal | None = None
    available_for_sale_stock: Decimal | None = None
    actual_available_stock: Decimal | None = None
    actual_committed_stock: Decimal | None = None
    actual_available_for_sale_stock: Decimal | None = None


class InvoiceRow(Record):
    """An invoice as a list shows it, and what every detail has too."""

    invoice_id: str = Field(min_length=1)
    invoice_number: str = ""
    reference_number: str = ""
    status: str = ""
    customer_id: str = ""
    currency_code: str = ""
    date: str = ""
    total: Decimal = Decimal(0)
    balance: Decimal = Decimal(0)


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
    line_items: tuple[InvoiceLine, ...] = ()
    payments: tuple[LinkedPayment, ...] = ()


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


class CreditNoteRow(Record):
    """A credit note as a list shows it, and what every detail has too."""

    creditnote_id: str = Field(min_length=1)
    creditnote_number: str = ""
    reference_number: str = ""
    status: str = ""
    currency_code: str = ""
    total: Decimal
    balance: Decimal = Decimal(0)


class CreditNote(CreditNoteRow):
    """A credit note with its lines left out: what we wrote."""

    invoice_id: str = ""


class CreditNoteRefund(Record):
    """Money of a credit note that went back."""

    creditnote_refund_id: str = Field(min_length=1)
    reference_number: str = ""
