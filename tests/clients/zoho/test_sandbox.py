"""The client against a running Zoho sandbox: an order's whole life, lost answers, limits and tokens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from clients.errors import (
    AlreadyExists,
    ClientError,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Refused,
    TokenRefused,
    TryLater,
    Unreachable,
)
from clients.keys import KeyRing
from clients.store.store import Store
from clients.zoho.client import ZohoClient
from clients.zoho.models import (
    Contact,
    CustomField,
    Invoice,
    InvoiceShare,
    NewContact,
    NewContactPerson,
    NewInvoice,
    NewInvoiceLine,
    NewLine,
    NewPayment,
    NewSalesOrder,
    SalesOrder,
    ZohoAddress,
)
from clients.zoho.tokens import MemoryTokens, TokenStore
from clients.zoho.transport import open_http
from sandbox.serving import serve
from sandbox.zoho.app import make_app
from tests.clients.zoho.conftest import ORGANIZATION, an_account

DAY = date(2026, 10, 9)
ADDRESS = ZohoAddress(attention="Ann Lee", address="Main Street 1", city="Ulm", zip="89073", country="DE")
SEED = {
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
        self, tokens: TokenStore | None = None, seconds: float = 5.0, **account: str
    ) -> AsyncIterator[ZohoClient]:
        async with open_http() as http:
            yield ZohoClient.of(
                an_account(**({"api_base": self.url, "accounts_base": self.url} | account)),
                tokens or MemoryTokens(),
                http,
                connection="shop",
                now=lambda: datetime.now(UTC),
                timeout=seconds,
            )


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    running = await serve(make_app())
    async with httpx.AsyncClient() as http:
        one = Sandbox(running.url, http)
        await one.post("/_seed", SEED)
        yield one
    await running.stop()


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[ZohoClient]:
    async with sandbox.client() as one:
        yield one


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


async def test_a_payment_goes_from_contact_to_paid(sandbox: Sandbox, client: ZohoClient) -> None:
    """Every write is read back: totals to the cent, invoice paid, accounting stock down by what was sold."""
    contact = await client.create_contact(a_contact())
    order = await an_order(client, contact)
    assert (order.status, order.total, order.currency_code) == ("draft", Decimal("54.81"), "EUR")
    await client.confirm_sales_order(order.salesorder_id)
    invoice = await client.create_invoice(an_invoice(order))
    assert (invoice.status, invoice.total) == ("draft", order.total)
    await client.mark_invoice_sent(invoice.invoice_id)
    payment = await client.create_payment(a_payment(invoice))
    assert (payment.amount, payment.bank_charges) == (Decimal("54.81"), Decimal("1.7"))

    paid = await client.get_invoice(invoice.invoice_id)
    assert (paid.status, paid.balance) == ("paid", Decimal(0))
    assert [(p.payment_id, p.amount) for p in paid.payments] == [(payment.payment_id, Decimal("54.81"))]
    whole = await client.get_sales_order(order.salesorder_id)
    assert [i.invoice_id for i in whole.invoices] == [invoice.invoice_id]
    assert whole.line_items[0].quantity_invoiced == 5
    item = await client.get_item(order.line_items[0].item_id)
    assert item.sku == "TEA-1"
    stock = {row["sku"]: row["accounting"] for row in (await sandbox.ledger())["items"]}
    assert stock == {"TEA-1": 95, "TEA-10": 100}
    assert client.quota is not None
    assert client.quota.limit == 7500


async def test_what_was_written_is_found_again(client: ZohoClient) -> None:
    """Contact by e-mail and by name, order by number and reference, invoice and payment by reference."""
    invoice = await invoiced(client)
    payment = await client.create_payment(a_payment(invoice))
    (by_email,) = await client.find_contacts(email="Ann@Example.com")
    (by_name,) = await client.find_contacts(contact_name="Ann Lee")
    assert by_email.contact_id == by_name.contact_id == invoice.customer_id
    (order,) = await client.find_sales_orders(salesorder_number="SO-3ABC")
    (same,) = await client.find_sales_orders(reference_number="pi_3ABC")
    assert order.salesorder_id == same.salesorder_id
    assert [i.invoice_id for i in await client.find_invoices(reference_number="pi_3ABC")] == [invoice.invoice_id]
    assert [p.payment_id for p in await client.find_payments(reference_number="pi_3ABC")] == [payment.payment_id]
    assert await client.find_payments(reference_number="pi_3AB") == []
    assert await client.find_contacts(email="nn@example.com") == []


async def test_the_organisation_and_its_settings_are_read(client: ZohoClient) -> None:
    """Zone, currencies with precision and rate, taxes."""
    organization = await client.get_organization()
    assert (organization.time_zone, organization.currency_code) == ("Europe/Berlin", "EUR")
    currencies = {c.currency_code: c for c in await client.list_currencies()}
    assert (currencies["JPY"].price_precision, currencies["JPY"].exchange_rate) == (0, Decimal("0.0062"))
    assert currencies["EUR"].is_base_currency
    assert [tax.tax_percentage for tax in await client.list_taxes()] == [19]


async def test_a_contact_takes_further_addresses(client: ZohoClient) -> None:
    """Its billing address has an id from the start; an added one is listed under the id that was answered."""
    contact = await client.create_contact(a_contact())
    detail = await client.get_contact(contact.contact_id)
    assert detail.billing_address.address_id
    assert (detail.email, detail.currency_code) == ("ann@example.com", "EUR")
    added = await client.add_address(contact.contact_id, ADDRESS)
    listed = await client.list_addresses(contact.contact_id)
    assert added in [address.address_id for address in listed]


async def test_taken_numbers_and_names_exist_already(client: ZohoClient) -> None:
    """A second order under the number and a second contact of the name are refused, and nobody is named."""
    contact = await client.create_contact(a_contact())
    await an_order(client, contact)
    with pytest.raises(AlreadyExists) as order:
        await an_order(client, contact)
    with pytest.raises(AlreadyExists) as person:
        await client.create_contact(a_contact())
    assert (order.value.code, person.value.code) == ("36004", "3062")
    assert "Ann" not in str(person.value)


async def test_a_void_order_shows_it(client: ZohoClient) -> None:
    """After the void the detail says so."""
    order = await an_order(client, await client.create_contact(a_contact()))
    await client.void_sales_order(order.salesorder_id)
    assert (await client.get_sales_order(order.salesorder_id)).status == "void"


async def test_an_unknown_id_is_not_found(client: ZohoClient) -> None:
    """For reads and for actions."""
    with pytest.raises(NotFound):
        await client.get_contact("6087000000000000000")
    with pytest.raises(NotFound):
        await client.confirm_sales_order("6087000000000000000")


async def test_envelopes_of_the_specification_make_no_difference(sandbox: Sandbox, client: ZohoClient) -> None:
    """The sandbox answers with the specification's keys, the client understands."""
    await sandbox.post("/_switches", {"spec_envelope_keys": True})
    invoice = await invoiced(client)
    payment = await client.create_payment(a_payment(invoice))
    assert payment.amount == invoice.total


Write = Callable[[ZohoClient, Invoice], Awaitable[object]]
WRITES: list[tuple[str, Write, str]] = [
    ("/contacts$", lambda z, i: z.create_contact(a_contact("Bea")), "contacts"),
    ("/salesorders$", lambda z, i: an_order_of(z, i), "salesorders"),
    ("/customerpayments$", lambda z, i: z.create_payment(a_payment(i)), "payments"),
]


async def an_order_of(client: ZohoClient, invoice: Invoice) -> SalesOrder:
    return await an_order(client, await client.get_contact(invoice.customer_id), "SO-4")


@pytest.mark.parametrize(("path", "write", "kind"), WRITES, ids=[case[2] for case in WRITES])
@pytest.mark.parametrize(
    ("fault", "applied", "error"),
    [
        ("lost", 1, OutcomeUnknown),
        ("malformed", 1, OutcomeUnknown),
        ("timeout", 1, OutcomeUnknown),
        ("drop", 0, OutcomeUnknown),
        ("server_error", 0, OutcomeUnknown),
        ("refuse", 0, Refused),
        ("rate_limit", 0, RateLimited),
    ],
)
async def test_a_fault_tells_whether_a_write_may_have_happened(
    sandbox: Sandbox,
    client: ZohoClient,
    path: str,
    write: Write,
    kind: str,
    fault: str,
    applied: int,
    error: type[ClientError],
) -> None:
    """The ledger shows what happened; the error never says "it did not" where it did, and nothing is sent twice."""
    invoice = await invoiced(client)
    before = len((await sandbox.ledger())[kind])
    await sandbox.fault(fault, "POST", path, seconds=2.0)
    async with sandbox.client(seconds=0.5) as hasty:
        with pytest.raises(error) as caught:
            await write(hasty, invoice)
    assert type(caught.value) is error
    assert len((await sandbox.ledger())[kind]) - before == applied


@pytest.mark.parametrize("fault", ["lost", "malformed", "drop", "server_error"])
async def test_a_spoiled_read_may_be_repeated(sandbox: Sandbox, client: ZohoClient, fault: str) -> None:
    """The first try fails as one to repeat, the second goes well."""
    await sandbox.fault(fault, "GET", "/settings/taxes")
    with pytest.raises(TryLater) as caught:
        await client.list_taxes()
    assert type(caught.value) is TryLater
    assert len(await client.list_taxes()) == 1


@pytest.mark.parametrize(("code", "pause"), [(44, 60.0), (1070, 2.0), (45, 3600.0)])
async def test_each_limit_has_its_pause(sandbox: Sandbox, client: ZohoClient, code: int, pause: float) -> None:
    """The minute, the calls in process, the day (until the organisation's midnight where the header says it)."""
    await sandbox.fault("rate_limit", "GET", "/settings/taxes", code=code)
    with pytest.raises(RateLimited) as caught:
        await client.list_taxes()
    assert (caught.value.code, caught.value.status) == (str(code), 429)
    assert caught.value.retry_after is not None
    assert 0 <= caught.value.retry_after <= (86_400 if code == 45 else pause)
    assert code == 45 or caught.value.retry_after == pause


async def test_the_daily_quota_ends_the_day(sandbox: Sandbox, client: ZohoClient) -> None:
    """With three calls a day the fourth is refused until midnight, and the quota says none is left."""
    await sandbox.post("/_seed", {"organizations": [{"organization_id": ORGANIZATION, "daily_limit": 3}]})
    for _ in range(3):
        await client.list_taxes()
    with pytest.raises(RateLimited) as caught:
        await client.list_taxes()
    assert client.quota is not None
    assert client.quota.remaining == 0
    left = (client.quota.resets_at - datetime.now(UTC)).total_seconds()
    assert caught.value.retry_after == pytest.approx(left, abs=5)


async def test_an_expired_token_is_replaced_once_for_twenty_calls(sandbox: Sandbox, client: ZohoClient) -> None:
    """Zoho's clock runs ahead of ours: twenty calls meet a 401, one refresh follows, all go well."""
    await client.list_taxes()
    await sandbox.post("/_clock", {"advance": 3601})
    assert all(await asyncio.gather(*(client.list_taxes() for _ in range(20))))
    assert (await sandbox.ledger())["token_calls"] == {"issued": 2}


async def test_two_workers_on_one_store_refresh_once(sandbox: Sandbox) -> None:
    """Ten calls each, at once, without a token: one is issued."""
    tokens = MemoryTokens()
    async with sandbox.client(tokens) as one, sandbox.client(tokens) as other:
        assert all(await asyncio.gather(*(client.list_taxes() for client in [one, other] * 10)))
    assert (await sandbox.ledger())["token_calls"] == {"issued": 1}


async def test_two_stores_on_one_database_refresh_once(sandbox: Sandbox, tmp_path: Path) -> None:
    """Two workers with connections of their own to one SQLite file: one token, which a third finds there."""
    url, keys = f"sqlite+aiosqlite:///{tmp_path / 'store.db'}", KeyRing.generate()
    async with AsyncExitStack() as stack:
        clients = []
        for _ in range(3):
            store = await Store.open(url, keys)
            stack.push_async_callback(store.close)
            clients.append(await stack.enter_async_context(sandbox.client(store.tokens)))
        assert all(await asyncio.gather(*(client.list_taxes() for client in clients[:2] * 10)))
        assert len(await clients[2].list_taxes()) == 1
    assert (await sandbox.ledger())["token_calls"] == {"issued": 1}


async def test_wrong_credentials_are_told_apart(sandbox: Sandbox) -> None:
    """An organisation's client that Zoho does not know, also where it answers 200 to it."""
    for position in (False, True):
        await sandbox.post("/_switches", {"token_errors_as_200": position})
        async with sandbox.client(client_id="1000.OTHER") as stranger:
            with pytest.raises(TokenRefused, match="client id or secret is wrong"):
                await stranger.list_taxes()


async def test_another_data_centre_does_not_know_the_client(sandbox: Sandbox) -> None:
    """The organisation is of `us`: its client is unknown at `eu`, and at home where it belongs."""
    foreign, home = f"{sandbox.url}/eu", f"{sandbox.url}/us"
    async with sandbox.client(accounts_base=foreign, api_base=foreign) as client:
        with pytest.raises(TokenRefused, match="another data centre"):
            await client.list_taxes()
    async with sandbox.client(accounts_base=home, api_base=home) as client:
        assert len(await client.list_taxes()) == 1


async def test_a_sandbox_that_is_down_is_unreachable(sandbox: Sandbox, client: ZohoClient) -> None:
    """Nothing was sent, whatever it was."""
    invoice = await invoiced(client)
    async with sandbox.client(api_base="http://127.0.0.1:1") as lost:
        with pytest.raises(Unreachable):
            await lost.create_payment(a_payment(invoice))
    assert (await sandbox.ledger())["payments"] == []
