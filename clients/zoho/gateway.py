"""Zoho in the house's words: drafts and ids in, documents out. One HTTP request a method, like the client's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import httpx

from clients.connections import Connection
from clients.errors import NotFound
from clients.zoho.budget import BudgetStore
from clients.zoho.client import ZohoClient
from clients.zoho.goods import ZohoGoods
from clients.zoho.people import ZohoPeople
from clients.zoho.receipts import ZohoReceipts
from clients.zoho.tokens import TokenStore
from clients.zoho.translation.amounts import exact
from clients.zoho.translation.orders import invoice_document, order_document, order_says, order_state
from clients.zoho.translation.sales import changed_order, new_invoice, new_order
from domain.corrections import OrderCorrection
from domain.documents import CurrencyFacts, InvoiceDocument, OrderDocument, OrganizationFacts, TaxFacts
from domain.drift import OrderState
from domain.orders import OrderDraft
from domain.sales import InvoiceInput, OrderInput


class ZohoGateway(ZohoPeople, ZohoGoods, ZohoReceipts):
    """One organisation, as a payment's run needs it."""

    def __init__(self, client: ZohoClient) -> None:
        self._client = client
        self.credits = client.credits
        self.returns = client.returns
        self.proposals = client.proposals
        self.write_offs = client.write_offs
        self.lists = client.lists
        self.books = client.books
        self.hand = client.hand

    @property
    def organization_id(self) -> str:
        """The organisation's id."""
        return self._client.organization_id

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

    async def order_state(self, salesorder_id: str) -> OrderState | None:
        """The order with all that people may have changed of it; None where it was deleted."""
        try:
            return order_state(await self._client.get_sales_order(salesorder_id))
        except NotFound:
            return None

    async def update_sales_order(self, draft: OrderDraft, wanted: OrderCorrection) -> OrderDocument:
        """The draft over the order that is there."""
        return order_document(await self._client.update_sales_order(wanted.salesorder_id, changed_order(draft, wanted)))

    async def corrected_order(self, draft: OrderDraft, wanted: OrderCorrection) -> OrderDocument | None:
        """The order, if it has the draft's addresses and custom fields, and what it is marked with."""
        order = await self._client.get_sales_order(wanted.salesorder_id)
        return order_document(order) if order_says(order, draft, wanted.marks) else None

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


def live_and_bulk(
    connection: Connection,
    tokens: TokenStore,
    budgets: BudgetStore,
    http: httpx.AsyncClient,
    *,
    now: Callable[[], datetime],
    timeout: float,
) -> tuple[ZohoGateway, ZohoGateway]:
    """The connection's organisation for live work, and for work that leaves the day's reserve alone."""

    def gateway(bulk: bool) -> ZohoGateway:
        slug, zoho = connection.slug, connection.zoho
        return ZohoGateway(
            ZohoClient.of(zoho, tokens, http, connection=slug, now=now, timeout=timeout, budgets=budgets, bulk=bulk)
        )

    return gateway(False), gateway(True)
