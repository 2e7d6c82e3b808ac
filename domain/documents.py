"""Zoho's records in our words: what a step needs of them, and no more.

A total or balance is None where Zoho came to an amount finer than a minor unit, which is never Stripe's.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum

from pydantic import Field

from domain.money import Money
from domain.payments import Fact

# What an order is called once it was confirmed, whatever became of it since.
CONFIRMED = ("confirmed", "open", "partially_invoiced", "invoiced", "fulfilled", "closed")


class OrganizationFacts(Fact):
    """The organisation: `currency` is its own, `time_zone` an IANA name that its dates are in."""

    organization_id: str
    name: str = ""
    time_zone: str
    currency: str


class CurrencyFacts(Fact):
    """A currency the organisation trades in; `exchange_rate` is units of its own currency for one of this."""

    currency_id: str
    code: str
    price_precision: int = 2
    exchange_rate: Decimal = Decimal(1)
    is_base: bool = False


class TaxFacts(Fact):
    """A tax or tax group that a line may carry."""

    tax_id: str
    name: str = ""
    percentage: Decimal


class ItemFacts(Fact):
    """A thing in stock or a service. `active` false is refused in new documents."""

    item_id: str
    sku: str
    active: bool = True


class ItemStock(Fact):
    """An item's stock. `left` is what Zoho has left for sale, None where it does not say.

    `tracked` is false where no document moves stock of it; `combined` says that Zoho makes it of other items.
    """

    item_id: str
    sku: str = ""
    tracked: bool = False
    combined: bool = False
    left: Decimal | None = None

    @property
    def moves_stock(self) -> bool:
        """Whether a document of this item moves stock, its own or that of its parts."""
        return self.tracked or self.combined


class Part(Fact):
    """Pieces of an item that left the house inside a set."""

    item_id: str
    sku: str
    quantity: int


class ContactDocument(Fact):
    """A contact. `kind` is `customer` or `vendor`; a vendor never matches as a customer."""

    contact_id: str
    name: str
    email: str = ""
    kind: str = "customer"
    currency: str = ""
    active: bool = True
    billing_address_id: str = ""
    shipping_address_id: str = ""


class OwnStep(StrEnum):
    """What an organisation does by itself when an order is confirmed (Zoho's `so_cycle_preference`)."""

    INVOICE = "invoice"
    PAYMENT = "payment"
    PACKAGE = "package"
    SHIPMENT = "shipment"


class OrderDocumentLine(Fact):
    """One line of a sales order with Zoho's ids; `stocked` says that it is of an inventory item."""

    line_item_id: str
    item_id: str
    quantity: Decimal
    stocked: bool = False


class ShipmentDocument(Fact):
    """Packages on their way. `tracking_number` and `carrier` are "" until somebody knows them; `day` is ISO."""

    shipment_id: str
    number: str = ""
    carrier: str = ""
    tracking_number: str = ""
    status: str = ""
    day: str = ""


class PackageDocument(Fact):
    """Goods of an order in one box; `shipment` is None while it stands there."""

    package_id: str
    number: str = ""
    shipment: ShipmentDocument | None = None


class InvoiceDocument(Fact):
    """An invoice; `available` is what the lines' items have left for sale by item id, where Zoho said so."""

    invoice_id: str
    number: str = ""
    reference: str = ""
    status: str
    total: Money | None
    balance: Money | None
    payment_ids: tuple[str, ...] = ()
    available: dict[str, Decimal] = Field(default_factory=dict)


class OrderDocument(Fact):
    """A sales order with the documents made from it; `own_steps` are what the organisation does by itself."""

    salesorder_id: str
    number: str
    reference: str = ""
    status: str
    customer_id: str
    total: Money | None
    lines: tuple[OrderDocumentLine, ...] = ()
    invoices: tuple[InvoiceDocument, ...] = ()
    packages: tuple[PackageDocument, ...] = ()
    own_steps: tuple[OwnStep, ...] = ()


class Share(Fact):
    """How much of a payment an invoice got."""

    invoice_id: str
    amount: Money


class ReceiptRecord(Fact):
    """A recorded payment as Zoho has it, as far as it has to be said again when one field of it changes."""

    zoho_payment_id: str
    contact_id: str
    mode: str
    amount: Money
    day: date
    reference: str = ""
    shares: tuple[Share, ...]
    account_id: str = ""
    exchange_rate: Decimal | None = None
    bank_charges: Money


class ReceiptDocument(Fact):
    """A customer payment; `balance` is what its invoice still wants, None where the answer did not say.

    `record` is None where Zoho's own amounts are finer than a minor unit.
    """

    payment_id: str
    reference: str = ""
    amount: Money | None
    balance: Money | None = None
    record: ReceiptRecord | None = None
