"""The client against a running Zoho sandbox: an order's whole life, written and read back."""

from __future__ import annotations

from decimal import Decimal

import pytest

from clients.errors import (
    AlreadyExists,
    NotFound,
)
from clients.zoho.client import ZohoClient
from tests.clients.zoho.sandboxed.shop import ADDRESS, Sandbox, a_contact, a_payment, an_invoice, an_order, invoiced


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
