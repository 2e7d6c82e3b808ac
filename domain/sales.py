"""The documents of one sale as they cross Temporal: what is to be written, and what Zoho has."""

from __future__ import annotations

from decimal import Decimal

from domain.documents import OrderDocumentLine, OwnStep, PackageDocument, ReceiptRecord
from domain.money import Money
from domain.payers import AddressPlan
from domain.payments import Fact
from domain.runs import PaymentRef


class OrderNumber(PaymentRef):
    """A payment's sales order, by its number."""

    number: str


class OrderInput(OrderNumber):
    """A sales order to write: the draft under `order_ref` with Zoho's ids.

    `reserved` says that its goods were reserved in our store; `backordered` names what there is too little of.
    """

    order_ref: str
    total: Money
    contact_id: str
    addresses: AddressPlan = AddressPlan()
    item_ids: tuple[str, ...]
    tax_ids: tuple[str, ...]
    exchange_rate: Decimal | None = None
    reserved: bool = False
    backordered: tuple[str, ...] = ()
    after: int = 0


class DocumentRef(PaymentRef):
    """A document of a payment, by Zoho's id. `deleted` are payments that should be gone from it.

    `reserved` says that its goods were reserved in our store, which has to hear when the order is confirmed.
    """

    document_id: str
    total: Money
    deleted: tuple[str, ...] = ()
    reserved: bool = False
    after: int = 0


class InvoiceWritten(Fact):
    """An invoice as Zoho has it."""

    invoice_id: str = ""
    number: str = ""
    status: str = ""
    total: Money | None = None
    balance: Money | None = None
    payment_ids: tuple[str, ...] = ()
    short_items: tuple[str, ...] = ()
    unknown: bool = False
    asked: int = 0


class OrderWritten(Fact):
    """A sales order as Zoho has it. `taken`: the number exists already, so look.

    `goods` are the lines that can be packed; `own_steps` what the organisation does by itself once it is confirmed.
    `number` and `contact_id` are told of an order that somebody entered by hand; its `line_item_ids` are () where its
    lines are not the payment's.
    """

    salesorder_id: str = ""
    number: str = ""
    contact_id: str = ""
    status: str = ""
    total: Money | None = None
    reference: str = ""
    line_item_ids: tuple[str, ...] = ()
    goods: tuple[OrderDocumentLine, ...] = ()
    invoices: tuple[InvoiceWritten, ...] = ()
    packages: tuple[PackageDocument, ...] = ()
    own_steps: tuple[OwnStep, ...] = ()
    taken: bool = False
    unknown: bool = False
    asked: int = 0


class InvoiceInput(OrderInput):
    """An invoice for the order `salesorder_id`, line by line."""

    salesorder_id: str
    line_item_ids: tuple[str, ...]


class ReceiptInput(PaymentRef):
    """Money received, to be recorded as a customer payment against `invoice_id`; `bank_charges` is Stripe's fee."""

    order_ref: str
    invoice_id: str
    contact_id: str
    total: Money
    exchange_rate: Decimal | None = None
    bank_charges: Money | None = None
    after: int = 0


class ReceiptWritten(Fact):
    """A customer payment as Zoho has it; `balance` is what the invoice still wants.

    `record` is None where the payment was found through its invoice, which does not tell the whole of it.
    """

    zoho_payment_id: str = ""
    balance: Money | None = None
    record: ReceiptRecord | None = None
    unknown: bool = False
    asked: int = 0
