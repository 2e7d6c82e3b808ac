"""Zoho in the house's words: drafts and ids in, documents out. One HTTP request a method, like the client's."""

from __future__ import annotations

from decimal import Decimal

from clients.zoho.client import ZohoClient
from clients.zoho.documents import (
    CustomField,
    InvoiceShare,
    NewContact,
    NewContactPerson,
    NewInvoice,
    NewInvoiceLine,
    NewLine,
    NewPayment,
    NewSalesOrder,
    ZohoAddress,
)
from clients.zoho.models import Contact, ContactAddress, Invoice, LinkedInvoice, SalesOrder
from domain.documents import (
    ContactDocument,
    CurrencyFacts,
    InvoiceDocument,
    ItemFacts,
    OrderDocument,
    OrderDocumentLine,
    OrganizationFacts,
    ReceiptDocument,
    TaxFacts,
)
from domain.money import Money
from domain.orders import OrderDraft, OrderLine
from domain.payments import Address
from domain.policy import MappingPolicy
from domain.runs import InvoiceInput, OrderInput, ReceiptInput

_ADJUSTED = "Rounding"


class ZohoGateway:
    """One organisation, as a payment's run needs it."""

    def __init__(self, client: ZohoClient) -> None:
        self._client = client

    async def organization(self) -> OrganizationFacts:
        """Time zone and own currency."""
        found = await self._client.get_organization()
        return OrganizationFacts(
            organization_id=found.organization_id,
            name=found.name,
            time_zone=found.time_zone,
            currency=found.currency_code,
        )

    async def currencies(self) -> list[CurrencyFacts]:
        """The currencies with today's rates."""
        return [
            CurrencyFacts(
                currency_id=row.currency_id,
                code=row.currency_code,
                price_precision=row.price_precision,
                exchange_rate=row.exchange_rate,
                is_base=row.is_base_currency,
            )
            for row in await self._client.list_currencies()
        ]

    async def taxes(self) -> list[TaxFacts]:
        """Taxes and tax groups."""
        rows = await self._client.list_taxes()
        return [TaxFacts(tax_id=r.tax_id, name=r.tax_name, percentage=r.tax_percentage) for r in rows]

    async def items(self, sku: str) -> list[ItemFacts]:
        """Items with exactly this SKU."""
        rows = await self._client.find_items(sku=sku)
        return [ItemFacts(item_id=r.item_id, sku=r.sku, active=r.status in ("", "active")) for r in rows]

    async def contacts(self, *, email: str = "", name: str = "") -> list[ContactDocument]:
        """Contacts with exactly this e-mail or name, of any kind and currency."""
        return [_contact(row) for row in await self._client.find_contacts(email=email, contact_name=name)]

    async def create_contact(self, name: str, draft: OrderDraft, currency_id: str) -> ContactDocument:
        """The draft's payer as a new customer. AlreadyExists where the name is taken."""
        created = await self._client.create_contact(_new_contact(name, draft, currency_id))
        return _contact(created)

    async def add_address(self, contact_id: str, address: Address) -> str:
        """The id of the address that was added to the contact."""
        return await self._client.add_address(contact_id, _zoho_address(address))

    async def addresses(self, contact_id: str) -> list[tuple[str, Address]]:
        """The contact's addresses with their ids."""
        rows = await self._client.list_addresses(contact_id)
        return [(row.address_id, _address(row)) for row in rows]

    async def create_sales_order(self, draft: OrderDraft, wanted: OrderInput) -> OrderDocument:
        """The draft as a sales order. AlreadyExists where its number is taken."""
        return _order(await self._client.create_sales_order(_new_order(draft, wanted)))

    async def find_sales_order(self, number: str) -> OrderDocument | None:
        """The order with this number, without its lines."""
        rows = await self._client.find_sales_orders(salesorder_number=number)
        if not rows:
            return None
        row = rows[0]
        return OrderDocument(
            salesorder_id=row.salesorder_id,
            number=row.salesorder_number,
            reference=row.reference_number,
            status=row.status,
            customer_id=row.customer_id,
            total=Money.from_decimal(row.total, row.currency_code),
        )

    async def sales_order(self, salesorder_id: str) -> OrderDocument:
        """The order with its lines and invoices."""
        return _order(await self._client.get_sales_order(salesorder_id))

    async def confirm_sales_order(self, salesorder_id: str) -> None:
        """Commit the order's quantities."""
        await self._client.confirm_sales_order(salesorder_id)

    async def void_sales_order(self, salesorder_id: str) -> None:
        """Take the order back."""
        await self._client.void_sales_order(salesorder_id)

    async def create_invoice(self, draft: OrderDraft, wanted: InvoiceInput) -> InvoiceDocument:
        """The order's lines as a draft invoice."""
        return _invoice(await self._client.create_invoice(_new_invoice(draft, wanted)))

    async def invoice(self, invoice_id: str) -> InvoiceDocument:
        """The invoice with its payments."""
        return _invoice(await self._client.get_invoice(invoice_id))

    async def mark_invoice_sent(self, invoice_id: str) -> None:
        """Make the draft count, without a mail."""
        await self._client.mark_invoice_sent(invoice_id)

    async def record_payment(
        self, draft: OrderDraft, wanted: ReceiptInput, mapping: MappingPolicy
    ) -> ReceiptDocument:
        """The whole amount on the invoice; the payment id is the reference."""
        paid = await self._client.create_payment(
            NewPayment(
                customer_id=wanted.contact_id,
                payment_mode=mapping.payment_mode,
                amount=wanted.total.decimal(),
                date=draft.order_date,
                reference_number=wanted.payment_id,
                invoices=(InvoiceShare(invoice_id=wanted.invoice_id, amount_applied=wanted.total.decimal()),),
                account_id=mapping.deposit_account_id,
                exchange_rate=wanted.exchange_rate,
            )
        )
        left = [row.balance for row in paid.invoices if row.invoice_id == wanted.invoice_id]
        balance = left[0] if left else None
        return ReceiptDocument(
            payment_id=paid.payment_id,
            reference=paid.reference_number,
            amount=Money.from_decimal(paid.amount, wanted.total.currency),
            balance=None if balance is None else Money.from_decimal(balance, wanted.total.currency),
        )


def _zoho_address(address: Address) -> ZohoAddress:
    return ZohoAddress(
        attention=address.name,
        address=address.line1,
        street2=address.line2,
        city=address.city,
        state=address.state,
        zip=address.postal_code,
        country=address.country,
        phone=address.phone,
    )


def _address(row: ContactAddress) -> Address:
    return Address(
        name=row.attention,
        line1=row.address,
        line2=row.street2,
        city=row.city,
        state=row.state,
        postal_code=row.zip,
        country=row.country,
        phone=row.phone,
    )


def _new_contact(name: str, draft: OrderDraft, currency_id: str) -> NewContact:
    buyer = draft.buyer
    first, _, last = buyer.name.partition(" ")
    person = NewContactPerson(
        first_name=first or name[:100], last_name=last, email=buyer.email, phone=buyer.phone
    )
    return NewContact(
        contact_name=name[:200],
        currency_id=currency_id,
        billing_address=_zoho_address(draft.billing),
        shipping_address=_zoho_address(draft.shipping),
        contact_persons=(person,),
        notes=f"Stripe customer {buyer.customer_id}" if buyer.customer_id else "Stripe guest",
    )


def _fields(draft: OrderDraft) -> tuple[CustomField, ...]:
    return tuple(CustomField(api_name=name, value=value) for name, value in draft.custom_fields.items())


def _new_order(draft: OrderDraft, wanted: OrderInput) -> NewSalesOrder:
    lines = tuple(
        NewLine(**_line(line, wanted.item_ids[i], wanted.tax_ids[i])) for i, line in enumerate(draft.lines)
    )
    return NewSalesOrder(
        **_sale(draft, wanted),
        salesorder_number=wanted.number,
        shipment_date=draft.shipment_date,
        custom_fields=_fields(draft),
        line_items=lines,
    )


def _new_invoice(draft: OrderDraft, wanted: InvoiceInput) -> NewInvoice:
    lines = tuple(
        NewInvoiceLine(
            **_line(line, wanted.item_ids[i], wanted.tax_ids[i]), salesorder_item_id=wanted.line_item_ids[i]
        )
        for i, line in enumerate(draft.lines)
    )
    return NewInvoice(**_sale(draft, wanted), due_date=draft.order_date, line_items=lines)


def _sale(draft: OrderDraft, wanted: OrderInput) -> dict[str, object]:
    return {
        "customer_id": wanted.contact_id,
        "reference_number": draft.reference,
        "date": draft.order_date,
        "is_inclusive_tax": draft.inclusive,
        "shipping_charge": draft.shipping_charge.decimal() if draft.shipping_charge else None,
        "adjustment": draft.adjustment.decimal() if draft.adjustment else None,
        "adjustment_description": _ADJUSTED if draft.adjustment else "",
        "exchange_rate": wanted.exchange_rate,
        "billing_address_id": wanted.addresses.billing_address_id,
        "shipping_address_id": wanted.addresses.shipping_address_id,
        "notes": draft.notes,
    }


def _line(line: OrderLine, item_id: str, tax_id: str) -> dict[str, object]:
    return {
        "item_id": item_id,
        "name": line.name,
        "description": line.description,
        "rate": line.rate,
        "quantity": Decimal(line.quantity),
        "discount": line.discount.decimal() if line.discount else None,
        "tax_id": tax_id,
    }


def _contact(row: Contact) -> ContactDocument:
    return ContactDocument(
        contact_id=row.contact_id,
        name=row.contact_name,
        email=row.email,
        kind=row.contact_type or "customer",
        currency=row.currency_code,
        active=row.status in ("", "active"),
        billing_address_id=row.billing_address.address_id,
        shipping_address_id=row.shipping_address.address_id,
    )


def _order(order: SalesOrder) -> OrderDocument:
    currency = order.currency_code
    return OrderDocument(
        salesorder_id=order.salesorder_id,
        number=order.salesorder_number,
        reference=order.reference_number,
        status=order.order_status or order.status,
        customer_id=order.customer_id,
        total=Money.from_decimal(order.total, currency),
        lines=tuple(
            OrderDocumentLine(line_item_id=line.line_item_id, item_id=line.item_id, quantity=line.quantity)
            for line in order.line_items
        ),
        invoices=tuple(_linked(invoice, currency) for invoice in order.invoices),
    )


def _linked(invoice: LinkedInvoice, currency: str) -> InvoiceDocument:
    return InvoiceDocument(
        invoice_id=invoice.invoice_id,
        number=invoice.invoice_number,
        reference=invoice.reference_number,
        status=invoice.status,
        total=Money.from_decimal(invoice.total, currency),
        balance=Money.from_decimal(invoice.balance, currency),
    )


def _invoice(invoice: Invoice) -> InvoiceDocument:
    currency = invoice.currency_code
    stock = {line.item_id: line.available_for_sale_stock for line in invoice.line_items}
    return InvoiceDocument(
        invoice_id=invoice.invoice_id,
        number=invoice.invoice_number,
        reference=invoice.reference_number,
        status=invoice.status,
        total=Money.from_decimal(invoice.total, currency),
        balance=Money.from_decimal(invoice.balance, currency),
        payment_ids=tuple(payment.payment_id for payment in invoice.payments),
        available={item: left for item, left in stock.items() if left is not None},
    )
