"""Zoho in the house's words: drafts and ids in, documents out. One HTTP request a method, like the client's."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from clients.errors import NotFound, Refused
from clients.zoho.client import ZohoClient
from clients.zoho.models import InvoiceShare, NewPayment
from clients.zoho.translation import (
    address_of,
    changed_order,
    changed_payment,
    changed_person,
    contact_document,
    exact,
    invoice_document,
    item_stock,
    new_adjustment,
    new_contact,
    new_invoice,
    new_order,
    new_package,
    new_shipment,
    order_document,
    order_says,
    person_of,
    receipt_record,
    shipment_document,
    zoho_address,
)
from domain.contacts import normal_email
from domain.corrections import OrderCorrection, PersonSeen
from domain.documents import (
    ContactDocument,
    CurrencyFacts,
    InvoiceDocument,
    ItemFacts,
    ItemStock,
    OrderDocument,
    OrganizationFacts,
    PackageDocument,
    Part,
    ReceiptDocument,
    ReceiptRecord,
    ShipmentDocument,
    TaxFacts,
)
from domain.money import Money
from domain.orders import OrderDraft
from domain.payments import Address
from domain.policy import MappingPolicy
from domain.sales import InvoiceInput, OrderInput, ReceiptInput
from domain.shipping import PackageInput, ShipmentInput


class ZohoGateway:
    """One organisation, as a payment's run needs it."""

    def __init__(self, client: ZohoClient) -> None:
        self._client = client
        self.credits = client.credits

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

    async def stocks(self, item_ids: Sequence[str]) -> list[ItemStock]:
        """The stock of these items; those that Zoho does not have are left out."""
        return [item_stock(row) for row in await self._client.list_item_details(item_ids)]

    async def left_for_sale(self, item_ids: Sequence[str]) -> dict[str, Decimal]:
        """What is left for sale of those items whose stock Zoho tracks. Refused where it does not say how much."""
        tracked = [item for item in await self.stocks(item_ids) if item.tracked and item.item_id in item_ids]
        if silent := [item.sku or item.item_id for item in tracked if item.left is None]:
            fault = f"the answer does not say what is left for sale of {', '.join(silent)}"
            raise Refused("zoho", f"{fault}; set policy.oversell to go_on, or skip this look", code="no_stock_told")
        return {item.item_id: item.left for item in tracked if item.left is not None}

    async def adjust_stock(self, draft: OrderDraft, parts: Sequence[Part]) -> tuple[str, str]:
        """Take the parts out of stock; id and status of the adjustment, which has the payment id as reference."""
        made = await self._client.create_adjustment(new_adjustment(draft, parts))
        return made.inventory_adjustment_id, made.status

    async def find_adjustments(self, reference: str) -> list[str]:
        """The ids of the adjustments with this reference."""
        rows = await self._client.find_adjustments(reference_number=reference)
        return [row.inventory_adjustment_id for row in rows]

    async def has_adjustment(self, adjustment_id: str) -> bool:
        """Whether this adjustment still stands."""
        try:
            await self._client.get_adjustment(adjustment_id)
        except NotFound:
            return False
        return True

    async def delete_adjustment(self, adjustment_id: str) -> None:
        """Take an adjustment back."""
        await self._client.delete_adjustment(adjustment_id)

    async def contacts(self, *, email: str = "", name: str = "") -> list[ContactDocument]:
        """Contacts with exactly this e-mail or name, of any kind and currency."""
        return [contact_document(row) for row in await self._client.find_contacts(email=email, contact_name=name)]

    async def create_contact(self, name: str, draft: OrderDraft, currency_id: str) -> ContactDocument:
        """The draft's payer as a new customer. AlreadyExists where the name is taken."""
        created = await self._client.create_contact(new_contact(name, draft, currency_id))
        return contact_document(created)

    async def contact_person(self, contact_id: str, draft: OrderDraft, before: str) -> PersonSeen:
        """The contact's person who is the draft's payer: by his e-mail, or by the one he had `before`.

        One without an e-mail is he as well; a person whom somebody gave another e-mail is not.
        """
        persons = (await self._client.get_contact(contact_id)).contact_persons
        first, last, mail, phone = person_of(draft)
        for email in dict.fromkeys((normal_email(mail), before, "")):
            for one in persons:
                if normal_email(one.email) == email:
                    same = (one.first_name, one.last_name, email) == (first, last, normal_email(mail))
                    return PersonSeen(person_id=one.contact_person_id, same=same and phone in ("", one.phone))
        return PersonSeen()

    async def update_contact_person(self, person_id: str, contact_id: str, draft: OrderDraft) -> None:
        """The draft's payer as this person of the contact."""
        await self._client.update_contact_person(person_id, changed_person(contact_id, draft))

    async def add_address(self, contact_id: str, address: Address) -> str:
        """The id of the address that was added to the contact."""
        return await self._client.add_address(contact_id, zoho_address(address))

    async def addresses(self, contact_id: str) -> list[tuple[str, Address]]:
        """The contact's addresses with their ids."""
        rows = await self._client.list_addresses(contact_id)
        return [(row.address_id, address_of(row)) for row in rows]

    async def create_sales_order(self, draft: OrderDraft, wanted: OrderInput) -> OrderDocument:
        """The draft as a sales order. AlreadyExists where its number is taken."""
        return order_document(await self._client.create_sales_order(new_order(draft, wanted)))

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
            total=exact(row.total, row.currency_code),
        )

    async def sales_order(self, salesorder_id: str) -> OrderDocument:
        """The order with its lines and invoices."""
        return order_document(await self._client.get_sales_order(salesorder_id))

    async def update_sales_order(self, draft: OrderDraft, wanted: OrderCorrection) -> OrderDocument:
        """The draft over the order that is there."""
        return order_document(await self._client.update_sales_order(wanted.salesorder_id, changed_order(draft, wanted)))

    async def corrected_order(self, salesorder_id: str, draft: OrderDraft) -> OrderDocument | None:
        """The order, if it has the draft's addresses and custom fields."""
        order = await self._client.get_sales_order(salesorder_id)
        return order_document(order) if order_says(order, draft) else None

    async def confirm_sales_order(self, salesorder_id: str) -> None:
        """Commit the order's quantities."""
        await self._client.confirm_sales_order(salesorder_id)

    async def void_sales_order(self, salesorder_id: str) -> None:
        """Take the order back."""
        await self._client.void_sales_order(salesorder_id)

    async def create_invoice(self, draft: OrderDraft, wanted: InvoiceInput) -> InvoiceDocument:
        """The order's lines as a draft invoice."""
        return invoice_document(await self._client.create_invoice(new_invoice(draft, wanted)))

    async def invoice(self, invoice_id: str) -> InvoiceDocument:
        """The invoice with its payments."""
        return invoice_document(await self._client.get_invoice(invoice_id))

    async def mark_invoice_sent(self, invoice_id: str) -> None:
        """Make the draft count, without a mail."""
        await self._client.mark_invoice_sent(invoice_id)

    async def void_invoice(self, invoice_id: str) -> None:
        """Take the invoice back; payments on it become the customer's credits."""
        await self._client.void_invoice(invoice_id)

    async def delete_payment(self, payment_id: str) -> None:
        """Take the record of a payment back."""
        await self._client.delete_payment(payment_id)

    async def record_payment(self, draft: OrderDraft, wanted: ReceiptInput, mapping: MappingPolicy) -> ReceiptDocument:
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
                bank_charges=wanted.bank_charges.decimal() if wanted.bank_charges else None,
            )
        )
        left = [row.balance for row in paid.invoices if row.invoice_id == wanted.invoice_id]
        balance = left[0] if left else None
        return ReceiptDocument(
            payment_id=paid.payment_id,
            reference=paid.reference_number,
            amount=exact(paid.amount, wanted.total.currency),
            balance=None if balance is None else exact(balance, wanted.total.currency),
            record=receipt_record(paid, wanted.total.currency),
        )

    async def create_package(self, draft: OrderDraft, wanted: PackageInput) -> PackageDocument:
        """The order's goods in one package."""
        made = await self._client.create_package(wanted.salesorder_id, new_package(draft, wanted.goods))
        return PackageDocument(package_id=made.package_id, number=made.package_number)

    async def create_shipment(
        self, draft: OrderDraft, wanted: ShipmentInput, mapping: MappingPolicy
    ) -> ShipmentDocument:
        """The packages on their way, with the payment id as reference."""
        body = new_shipment(draft, wanted.number, mapping.delivery_method)
        return shipment_document(await self._client.create_shipment(wanted.salesorder_id, wanted.package_ids, body))

    async def delete_package(self, package_id: str) -> None:
        """Take a package back."""
        await self._client.delete_package(package_id)

    async def delete_shipment(self, shipment_id: str) -> None:
        """Take a shipment back: its goods are in physical stock again."""
        await self._client.delete_shipment(shipment_id)

    async def find_receipts(self, reference: str) -> list[str]:
        """The ids of the payments with this reference."""
        return [row.payment_id for row in await self._client.find_payments(reference_number=reference)]

    async def receipt(self, payment_id: str, currency: str) -> ReceiptRecord | None:
        """The recorded payment; None where it holds amounts finer than a minor unit of `currency`."""
        return receipt_record(await self._client.get_payment(payment_id), currency)

    async def update_receipt(self, record: ReceiptRecord, charges: Money) -> None:
        """The recorded payment with these bank charges, and otherwise as it is."""
        await self._client.update_payment(record.zoho_payment_id, changed_payment(record, charges))
