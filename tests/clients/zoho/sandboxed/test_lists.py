"""The client against a running Zoho sandbox: what changed last comes first, and what still stands for a payment."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from clients.zoho.client import ZohoClient
from clients.zoho.translation.orders import order_state
from domain.by_hand import ZohoList
from domain.credits import CreditInput, CreditLine
from domain.money import Money
from domain.order_polls import reaches_back
from tests.clients.zoho.sandboxed.shop import Sandbox, a_contact, a_payment, an_order, invoiced

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("listed", [ZohoList.SALES_ORDERS, ZohoList.INVOICES, ZohoList.PAYMENTS])
async def test_a_row_tells_id_reference_and_time(client: ZohoClient, listed: ZohoList) -> None:
    """Of every list, whatever its rows call them; a document that is void stands no longer."""
    invoice = await invoiced(client)
    paid = await client.create_payment(a_payment(invoice))
    rows, more = await client.lists.page(listed, 1, LONG_AGO)
    known = {ZohoList.INVOICES: invoice.invoice_id, ZohoList.PAYMENTS: paid.payment_id}
    assert [row.reference for row in rows] == ["pi_3ABC"]
    assert rows[0].document_id == known.get(listed, rows[0].document_id) != ""
    assert rows[0].modified is not None
    assert abs(rows[0].modified - datetime.now(UTC)) < timedelta(minutes=1)
    assert not more
    assert await client.lists.standing(listed, "pi_3ABC") == [rows[0].document_id]
    assert await client.lists.standing(listed, "pi_other") == []


async def test_a_credit_note_tells_its_customer_and_its_order_when_it_is_read(client: ZohoClient) -> None:
    """One that is gone has none."""
    invoice = await invoiced(client)
    (order,), _ = await client.lists.page(ZohoList.SALES_ORDERS, 1, None)
    sold = await client.credits.sold_invoice(await client.credits.sold_order(order.document_id))
    money = Money.of(500, "EUR")
    wanted = CreditInput(
        connection="shop",
        payment_id="pi_3ABC",
        refund_id="re_1",
        sold=sold,
        lines=(CreditLine(gross=money, name="Wait", line_item_id=sold.lines[0].line_item_id, restock=False),),
        total=money,
        at=datetime.now(UTC),
    )
    made = await client.credits.create(wanted, date(2026, 11, 27), {})
    (row,), _ = await client.lists.page(ZohoList.CREDIT_NOTES, 1, LONG_AGO)
    assert (row.document_id, row.reference, row.customer) == (made.creditnote_id, "re_1", sold.contact_id)
    assert await client.credits.order_of(made.creditnote_id) == order.document_id
    assert await client.credits.order_of("460000000000000001") == ""
    (listed,) = await client.credits.of_customer(sold.contact_id)
    assert (listed.creditnote_id, listed.reference, listed.total) == (made.creditnote_id, "re_1", money)
    again = await client.credits.sold_order(order.document_id, "re_1")
    assert (again.noted, again.credited, again.by_hand) == (True, money, ())
    assert invoice.invoice_id == again.invoice_id


async def test_contacts_and_items_tell_what_is_remembered_of_them(sandbox: Sandbox, client: ZohoClient) -> None:
    """Who and what they are now, and when that was changed; the last change comes first."""
    contact = await client.create_contact(a_contact())
    (person,), _ = await client.lists.contacts(1, LONG_AGO)
    known = (person.contact_id, person.email, person.currency, person.kind, person.active)
    assert known == (contact.contact_id, "ann@example.com", "EUR", "customer", True)
    items, more = await client.lists.items(1, LONG_AGO)
    assert (sorted(item.sku for item in items), more) == (["TEA-1", "TEA-10"], False)
    for modified in (person.modified, *(item.modified for item in items)):
        assert modified is not None
        assert abs(modified - datetime.now(UTC)) < timedelta(minutes=1)
    soon = datetime.now(UTC) + timedelta(seconds=30)
    assert (await client.lists.contacts(1, soon), await client.lists.items(1, soon)) == (([], False), ([], False))


async def test_the_last_change_comes_first(sandbox: Sandbox, client: ZohoClient) -> None:
    """An order that is touched again leads the list; its state says that it is another; an ignored filter is seen."""
    contact = await client.create_contact(a_contact())
    first, second = await an_order(client, contact, "SO-1"), await an_order(client, contact, "SO-2")
    (_, before), _ = await client.lists.page(ZohoList.SALES_ORDERS, 1, None)
    await sandbox.post("/_clock", {"advance": 60})
    await client.void_sales_order(first.salesorder_id)
    rows, _ = await client.lists.page(ZohoList.SALES_ORDERS, 1, None)
    assert [row.document_id for row in rows] == [first.salesorder_id, second.salesorder_id]
    assert rows[0].state != before.state
    soon = datetime.now(UTC) + timedelta(seconds=30)
    assert [row.number for row in (await client.lists.page(ZohoList.SALES_ORDERS, 1, soon))[0]] == ["SO-1"]
    await sandbox.post("/_switches", {"lists_filter_modified": False})
    ignored, _ = await client.lists.page(ZohoList.SALES_ORDERS, 1, soon)
    assert len(ignored) == 2
    assert reaches_back(ignored, soon)
    assert await client.lists.standing(ZohoList.SALES_ORDERS, "pi_3ABC") == [second.salesorder_id]


async def test_an_order_is_seen_with_all_that_people_may_change(client: ZohoClient) -> None:
    """One read: lines, fields, addresses, invoices and what was paid."""
    invoice = await invoiced(client)
    paid = await client.create_payment(a_payment(invoice))
    (row,), _ = await client.lists.page(ZohoList.SALES_ORDERS, 1, None)
    state = order_state(await client.get_sales_order(row.document_id))
    assert state.fields["cf_stripe_payment_id"] == "pi_3ABC"
    assert (state.billing.line1, state.billing.country) == ("Main Street 1", "DE")
    assert [(one.invoice_id, one.total) for one in state.standing()] == [(invoice.invoice_id, state.total)]
    assert state.receipts == {paid.payment_id: state.total}
    assert [line.quantity for line in state.lines] == [5]
