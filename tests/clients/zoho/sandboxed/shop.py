"""A running Zoho sandbox with one small tea shop, and the documents of one payment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx

from clients.zoho.budget import BudgetStore
from clients.zoho.client import ZohoClient
from clients.zoho.documents import CustomField
from clients.zoho.documents.contacts import NewContact, NewContactPerson, ZohoAddress
from clients.zoho.documents.payments import InvoiceShare, NewPayment
from clients.zoho.documents.sales import NewInvoice, NewInvoiceLine, NewLine, NewSalesOrder
from clients.zoho.records.contacts import Contact
from clients.zoho.records.invoices import Invoice
from clients.zoho.records.orders import SalesOrder
from clients.zoho.tokens import MemoryTokens, TokenStore
from clients.zoho.transport import open_http
from tests.clients.zoho.conftest import ORGANIZATION, an_account

DAY = date(2026, 10, 9)
ADDRESS = ZohoAddress(attention="Ann Lee", address="Main Street 1", city="Ulm", zip="89073", country="DE")
SEED: dict[str, list[dict[str, Any]]] = {
    "organizations": [
        {
            "organization_id": ORGANIZATION,
            "name": "Tea",
            "time_zone": "Europe/Berlin",
            "currency_code": "EUR",
            "client_id": "1000.CLIENT",
            "client_secret": "the-client-secret",
            "refresh_token": "the-refresh-token",
            "minute_limit": 0,
            "concurrency_limit": 0,
            "daily_limit": 7500,
            "items": [
                {"sku": "TEA-1", "name": "Green tea", "rate": 9.99, "stock": 100},
                {"sku": "TEA-10", "name": "Black tea", "rate": 5, "stock": 100},
            ],
            "taxes": [{"tax_name": "VAT", "tax_percentage": 19}],
            "currencies": [{"currency_code": "JPY", "price_precision": 0, "exchange_rate": 0.0062}],
            "custom_fields": [{"api_name": "cf_stripe_payment_id", "label": "Stripe payment"}],
        }
    ]
}


class Sandbox:
    """A running sandbox, and its control."""

    def __init__(self, url: str, http: httpx.AsyncClient) -> None:
        self.url = url
        self._http = http

    async def post(self, path: str, body: object) -> None:
        (await self._http.post(self.url + path, json=body)).raise_for_status()

    async def fault(self, kind: str, method: str, path: str, **more: object) -> None:
        await self.post("/_faults", {"fault": kind, "method": method, "path": path} | more)

    async def ledger(self) -> dict[str, Any]:
        found = (await self._http.get(f"{self.url}/_ledger")).json()
        ledger: dict[str, Any] = found["organizations"][ORGANIZATION]
        return ledger | {"token_calls": found["token_calls"]}

    @asynccontextmanager
    async def client(
        self,
        tokens: TokenStore | None = None,
        seconds: float = 5.0,
        budgets: BudgetStore | None = None,
        bulk: bool = False,
        **account: Any,
    ) -> AsyncIterator[ZohoClient]:
        async with open_http() as http:
            yield ZohoClient.of(
                an_account(**({"api_base": self.url, "accounts_base": self.url} | account)),
                tokens or MemoryTokens(),
                http,
                connection="shop",
                now=lambda: datetime.now(UTC),
                timeout=seconds,
                budgets=budgets,
                bulk=bulk,
            )


def a_contact(name: str = "Ann Lee", **more: str) -> NewContact:
    return NewContact(
        contact_name=name,
        billing_address=ADDRESS,
        contact_persons=(NewContactPerson(first_name="Ann", last_name="Lee", email="ann@example.com"),),
        **more,
    )


async def an_order(client: ZohoClient, contact: Contact, number: str = "SO-3ABC") -> SalesOrder:
    (item,) = await client.find_items(sku="TEA-1")
    (tax,) = await client.list_taxes()
    line = NewLine(
        item_id=item.item_id,
        name="Green tea, loose",
        rate=Decimal("9.99"),
        quantity=Decimal(5),
        discount=Decimal("0.05"),
        tax_id=tax.tax_id,
    )
    return await client.create_sales_order(
        NewSalesOrder(
            customer_id=contact.contact_id,
            salesorder_number=number,
            reference_number="pi_3ABC",
            date=DAY,
            is_inclusive_tax=True,
            line_items=(line,),
            shipping_charge=Decimal("4.90"),
            adjustment=Decimal("0.01"),
            adjustment_description="Rounding",
            custom_fields=(CustomField(api_name="cf_stripe_payment_id", value="pi_3ABC"),),
        )
    )


def an_invoice(order: SalesOrder) -> NewInvoice:
    line = order.line_items[0]
    return NewInvoice(
        customer_id=order.customer_id,
        reference_number="pi_3ABC",
        date=DAY,
        due_date=DAY,
        is_inclusive_tax=True,
        line_items=(
            NewInvoiceLine(
                item_id=line.item_id,
                rate=line.rate,
                quantity=line.quantity,
                discount=Decimal("0.05"),
                tax_id=line.tax_id,
                salesorder_item_id=line.line_item_id,
            ),
        ),
        shipping_charge=Decimal("4.90"),
        adjustment=Decimal("0.01"),
    )


def a_payment(invoice: Invoice) -> NewPayment:
    return NewPayment(
        customer_id=invoice.customer_id,
        payment_mode="Stripe",
        amount=invoice.total,
        date=DAY,
        reference_number="pi_3ABC",
        invoices=(InvoiceShare(invoice_id=invoice.invoice_id, amount_applied=invoice.total),),
        bank_charges=Decimal("1.70"),
    )


async def invoiced(client: ZohoClient) -> Invoice:
    order = await an_order(client, await client.create_contact(a_contact()))
    await client.confirm_sales_order(order.salesorder_id)
    return await client.create_invoice(an_invoice(order))
