"""Every method: one request, the right one, and its answer as a record or an error."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import date
from decimal import Decimal

import httpx
import pytest

from clients.errors import AlreadyExists, ClientError, NotFound, OutcomeUnknown, Refused, TryLater
from clients.zoho.client import ZohoClient
from clients.zoho.codec import JsonObject
from clients.zoho.documents.contacts import NewContact, ZohoAddress
from clients.zoho.documents.payments import InvoiceShare, NewPayment
from clients.zoho.documents.sales import NewInvoice, NewInvoiceLine, NewLine, NewSalesOrder
from clients.zoho.documents.stock import NewAdjustment, NewAdjustmentLine
from tests.clients.zoho.conftest import ORGANIZATION, Clock, Zoho, answer, refusal

DAY = date(2026, 10, 9)
LINE = NewLine(item_id="2", rate=Decimal("9.99"), quantity=Decimal(1))
ORDER = NewSalesOrder(customer_id="1", salesorder_number="SO-3", date=DAY, line_items=(LINE,))
INVOICE = NewInvoice(
    customer_id="1", date=DAY, line_items=(NewInvoiceLine(**LINE.model_dump(), salesorder_item_id="7"),)
)
PAYMENT = NewPayment(
    customer_id="1",
    payment_mode="Stripe",
    amount=Decimal(1),
    date=DAY,
    invoices=(InvoiceShare(invoice_id="5", amount_applied=Decimal(1)),),
)
ADJUSTMENT = NewAdjustment(
    date=DAY, reason="Parts", line_items=(NewAdjustmentLine(item_id="15", quantity_adjusted=Decimal(-1)),)
)
CONTACT = NewContact(contact_name="Ann Lee")
ADDRESS = ZohoAddress(address="Main Street 1", city="Ulm")

AN_ORDER: JsonObject = {"salesorder_id": "11", "salesorder_number": "SO-3", "total": 1}
AN_INVOICE: JsonObject = {"invoice_id": "12", "total": 1, "balance": 1}
A_PAYMENT: JsonObject = {"payment_id": "13", "amount": 1, "reference_number": "pi_1"}
A_CONTACT: JsonObject = {"contact_id": "14", "contact_name": "Ann Lee", "email": "Ann@example.com"}
AN_ITEM: JsonObject = {"item_id": "15", "sku": "TEA-1"}
AN_ADJUSTMENT: JsonObject = {"inventory_adjustment_id": "31", "reference_number": "pi_1"}
AN_ADDRESS: JsonObject = {"address_id": "16", "city": "Ulm"}
A_TAX: JsonObject = {"tax_id": "17", "tax_percentage": 19}
A_CURRENCY: JsonObject = {"currency_id": "18", "currency_code": "EUR", "exchange_rate": Decimal("1.08")}
US: JsonObject = {"organization_id": ORGANIZATION, "currency_code": "USD", "time_zone": "America/New_York"}

Method = Callable[[ZohoClient], Awaitable[object]]
READS: list[tuple[str, Method, JsonObject]] = [
    ("/organizations", lambda z: z.get_organization(), {"organizations": [US]}),
    ("/settings/currencies", lambda z: z.list_currencies(), {"currencies": [A_CURRENCY]}),
    ("/settings/taxes", lambda z: z.list_taxes(), {"taxes": [A_TAX]}),
    ("/items?sku=TEA-1", lambda z: z.find_items(sku="TEA-1"), {"items": [AN_ITEM]}),
    ("/items/15", lambda z: z.get_item("15"), {"item": AN_ITEM}),
    ("/itemdetails?item_ids=15,16", lambda z: z.list_item_details(["15", "16"]), {"items": [AN_ITEM]}),
    (
        "/inventoryadjustments?reference_number=pi_1",
        lambda z: z.find_adjustments(reference_number="pi_1"),
        {"inventory_adjustments": [AN_ADJUSTMENT]},
    ),
    ("/inventoryadjustments/31", lambda z: z.get_adjustment("31"), {"inventory_adjustment": AN_ADJUSTMENT}),
    (
        "/contacts?email=ann@example.com",
        lambda z: z.find_contacts(email="ann@example.com"),
        {"contacts": [A_CONTACT]},
    ),
    (
        "/contacts?contact_name=Ann Lee",
        lambda z: z.find_contacts(contact_name="Ann Lee"),
        {"contacts": [A_CONTACT]},
    ),
    ("/contacts/14", lambda z: z.get_contact("14"), {"contact": A_CONTACT}),
    ("/contacts/14/address", lambda z: z.list_addresses("14"), {"addresses": [AN_ADDRESS]}),
    (
        "/salesorders?salesorder_number=SO-3",
        lambda z: z.find_sales_orders(salesorder_number="SO-3"),
        {"salesorders": [AN_ORDER]},
    ),
    ("/salesorders?page=1", lambda z: z.newest_sales_orders(), {"salesorders": [AN_ORDER]}),
    ("/salesorders/11", lambda z: z.get_sales_order("11"), {"salesorder": AN_ORDER}),
    (
        "/invoices?reference_number=pi_1",
        lambda z: z.find_invoices(reference_number="pi_1"),
        {"invoices": [AN_INVOICE | {"reference_number": "pi_1"}]},
    ),
    ("/invoices/12", lambda z: z.get_invoice("12"), {"invoice": AN_INVOICE}),
    (
        "/customerpayments?reference_number=pi_1",
        lambda z: z.find_payments(reference_number="pi_1"),
        {"customerpayments": [A_PAYMENT]},
    ),
    ("/customerpayments/13", lambda z: z.get_payment("13"), {"payment": A_PAYMENT}),
]
WRITES: list[tuple[str, Method, JsonObject]] = [
    ("/contacts", lambda z: z.create_contact(CONTACT), {"contact": A_CONTACT}),
    ("/contacts/14/address", lambda z: z.add_address("14", ADDRESS), {"address_info": AN_ADDRESS}),
    (
        "/salesorders?ignore_auto_number_generation=true",
        lambda z: z.create_sales_order(ORDER),
        {"salesorder": AN_ORDER},
    ),
    ("/salesorders/11/status/confirmed", lambda z: z.confirm_sales_order("11"), {"data": {}}),
    ("/salesorders/11/status/void", lambda z: z.void_sales_order("11"), {}),
    ("/invoices/21/status/void", lambda z: z.void_invoice("21"), {}),
    (
        "/inventoryadjustments?status=adjusted",
        lambda z: z.create_adjustment(ADJUSTMENT),
        {"inventory_adjustment": AN_ADJUSTMENT},
    ),
    ("/invoices", lambda z: z.create_invoice(INVOICE), {"invoice": AN_INVOICE}),
    ("/invoices/12/status/sent", lambda z: z.mark_invoice_sent("12"), {"data": {}}),
    ("/customerpayments", lambda z: z.create_payment(PAYMENT), {"payment": A_PAYMENT}),
]
CREATES = [entry for entry in WRITES if "/status/" not in entry[0]]


def names(cases: list[tuple[str, Method, JsonObject]]) -> list[str]:
    return [case[0] for case in cases]


def target(request: httpx.Request) -> str:
    """Path and query below the API's root, without organisation and page size."""
    wanted = [(key, value) for key, value in request.url.params.items() if key not in ("organization_id", "per_page")]
    query = "&".join(f"{key}={value}" for key, value in wanted)
    return request.url.path.removeprefix("/inventory/v1") + (f"?{query}" if query else "")


@pytest.mark.parametrize(
    ("where", "method", "body", "verb"),
    [(*case, "GET") for case in READS] + [(*case, "POST") for case in WRITES],
    ids=[f"GET {n}" for n in names(READS)] + [f"POST {n}" for n in names(WRITES)],
)
async def test_each_method_is_one_request(
    zoho: Zoho, client: ZohoClient, where: str, method: Method, body: JsonObject, verb: str
) -> None:
    """The documented verb and path, the organisation named, and an answer where one is promised."""
    zoho.says(answer(body, 201 if verb == "POST" else 200))
    result = await method(client)
    (request,) = zoho.calls
    assert (request.method, target(request)) == (verb, where)
    assert request.url.params["organization_id"] == ORGANIZATION
    assert (result is None) == ("/status/" in where)
    assert result != []


@pytest.mark.parametrize(("where", "method", "body"), WRITES, ids=names(WRITES))
@pytest.mark.parametrize(
    "reply",
    [
        httpx.ReadTimeout,
        httpx.ReadError,
        httpx.RemoteProtocolError,
        httpx.WriteError,
        httpx.Response(500),
        httpx.Response(200, content=b'{"code":0,"messa'),
        refusal(500, 1000, "internal"),
    ],
)
async def test_a_write_without_a_clear_answer_is_unknown(
    zoho: Zoho, client: ZohoClient, where: str, method: Method, body: JsonObject, reply: httpx.Response
) -> None:
    """It is sent once, and whoever called must look before writing again."""
    zoho.says(reply)
    with pytest.raises(OutcomeUnknown):
        await method(client)
    assert len(zoho.calls) == 1


@pytest.mark.parametrize(("where", "method", "body"), READS, ids=names(READS))
@pytest.mark.parametrize("reply", [httpx.ReadTimeout, httpx.Response(502), answer({})])
async def test_a_read_without_a_clear_answer_may_be_repeated(
    zoho: Zoho, client: ZohoClient, where: str, method: Method, body: JsonObject, reply: httpx.Response
) -> None:
    """No answer, a broken one, or one that lacks what was asked for."""
    zoho.says(reply)
    with pytest.raises(TryLater):
        await method(client)


@pytest.mark.parametrize(("where", "method", "body"), CREATES, ids=names(CREATES))
async def test_a_creation_without_its_record_is_unknown(
    zoho: Zoho, client: ZohoClient, where: str, method: Method, body: JsonObject
) -> None:
    """Code 0 but no record, or one without an id: it was made, and we do not know its id."""
    key = next(iter(body))
    odds: list[JsonObject] = [{}, {key: {}}, {key: []}, {key: "done"}]
    for odd in odds:
        zoho.says(answer(odd, 201))
        with pytest.raises(OutcomeUnknown, match=key.removesuffix("_info").replace("_", "")):
            await method(client)


async def test_a_broken_record_is_told_without_its_values(zoho: Zoho, client: ZohoClient) -> None:
    """The sentence names the fields that cannot be read, not what people wrote into them."""
    zoho.says(answer({"contact": {"contact_id": "1", "contact_persons": "ann@example.com"}}, 201))
    with pytest.raises(OutcomeUnknown) as caught:
        await client.create_contact(CONTACT)
    assert "contact_persons" in str(caught.value)
    assert "ann@" not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_a_taken_number_and_a_taken_name_exist_already(zoho: Zoho, client: ZohoClient) -> None:
    """36004 and 3062; the customer's name is not in the message."""
    zoho.says(refusal(400, 36004, "This sales order number already exists."))
    with pytest.raises(AlreadyExists, match="36004"):
        await client.create_sales_order(ORDER)
    zoho.says(refusal(400, 3062, 'The customer "Ann Lee" already exists. Please specify a different name.'))
    with pytest.raises(AlreadyExists, match='The customer "…" already exists') as caught:
        await client.create_contact(CONTACT)
    assert "Ann" not in str(caught.value)


async def test_envelopes_of_the_specification_are_understood_too(zoho: Zoho, client: ZohoClient) -> None:
    """`sales_order` and `address` are read like the live `salesorder` and `address_info`."""
    zoho.says(answer({"sales_order": AN_ORDER}, 201), answer({"address": AN_ADDRESS}, 201))
    assert (await client.create_sales_order(ORDER)).salesorder_id == "11"
    assert await client.add_address("14", ADDRESS) == "16"


async def test_rows_that_a_filter_let_through_are_dropped(zoho: Zoho, client: ZohoClient) -> None:
    """Zoho ignores some filters in silence: only rows that match come back, e-mails in any letter case."""
    foreign = {"item_id": "99", "sku": "TEA-10"}
    zoho.says(answer({"items": [foreign, AN_ITEM, {"item_id": "98"}]}))
    assert [item.item_id for item in await client.find_items(sku="TEA-1")] == ["15"]
    zoho.says(answer({"contacts": [{"contact_id": "97", "email": "joann@example.com"}, A_CONTACT]}))
    assert [c.contact_id for c in await client.find_contacts(email="ann@EXAMPLE.com")] == ["14"]
    zoho.says(answer({"salesorders": [AN_ORDER, AN_ORDER | {"reference_number": "pi_1"}]}))
    both = await client.find_sales_orders(salesorder_number="SO-3", reference_number="pi_1")
    assert [order.reference_number for order in both] == ["pi_1"]


async def test_an_ignored_filter_with_more_pages_proves_nothing(zoho: Zoho, client: ZohoClient) -> None:
    """Foreign rows only and more to come is no "not found"; an empty page, or a last one, is."""
    more: JsonObject = {"page_context": {"has_more_page": True}}
    zoho.says(answer({"customerpayments": [A_PAYMENT]} | more))
    with pytest.raises(Refused) as caught:
        await client.find_payments(reference_number="pi_2")
    assert caught.value.code == "filter_ignored"
    zoho.says(answer({"customerpayments": [A_PAYMENT, {"payment_id": "1", "amount": 1}]} | more))
    assert len(await client.find_payments(reference_number="pi_1")) == 1
    zoho.says(answer({"customerpayments": [A_PAYMENT]}), answer({"customerpayments": []}))
    assert await client.find_payments(reference_number="pi_2") == []
    assert await client.find_payments(reference_number="pi_2") == []


async def test_looking_for_nothing_is_a_mistake(zoho: Zoho, client: ZohoClient) -> None:
    """An empty filter would fetch a whole list, an empty id another resource: nothing is sent."""
    for search in (
        client.find_items(sku=""),
        client.find_contacts(),
        client.find_payments(reference_number=""),
    ):
        with pytest.raises(ValueError, match="nothing in particular"):
            await search
    with pytest.raises(ValueError, match="an id is missing"):
        await client.void_sales_order("")
    assert zoho.calls == []


async def test_an_id_cannot_lead_elsewhere(zoho: Zoho, client: ZohoClient) -> None:
    """Slashes and question marks in an id are quoted."""
    zoho.says(refusal(404, 1002, "Invoice does not exist."))
    with pytest.raises(NotFound, match="Invoice does not exist"):
        await client.get_invoice("../contacts?x=1")
    assert zoho.calls[0].url.raw_path.startswith(b"/inventory/v1/invoices/..%2Fcontacts%3Fx%3D1?")


async def test_an_organisation_that_is_not_the_tokens_is_not_found(zoho: Zoho, client: ZohoClient) -> None:
    """The sentence names the organisations that the token does open."""
    zoho.says(answer({"organizations": [US | {"organization_id": "777"}]}))
    with pytest.raises(NotFound, match=f"{ORGANIZATION} is not one of this token's: 777"):
        await client.get_organization()


async def test_the_quota_is_what_the_last_answer_told(zoho: Zoho, client: ZohoClient, clock: Clock) -> None:
    """None before the first answer; an answer without the headers changes nothing; a refusal counts too."""
    assert client.quota is None
    told = {"x_rate_limit_limit": "7500", "x_rate_limit_reset": "60"}
    zoho.says(
        answer({"taxes": []}, **told, x_rate_limit_remaining="2"),
        answer({"organizations": [US]}),
        refusal(429, 45, "over", **told, x_rate_limit_remaining="0"),
    )
    await client.list_taxes()
    await client.get_organization()
    assert client.quota is not None
    assert client.quota.remaining == 2
    with pytest.raises(ClientError) as caught:
        await client.list_taxes()
    assert (client.quota.remaining, caught.value.retry_after) == (0, 60.0)
    assert (client.quota.resets_at - clock.now()).total_seconds() == 60


async def test_an_order_is_sent_as_json(zoho: Zoho, client: ZohoClient) -> None:
    """The body is the document, with a content type that Zoho takes."""
    zoho.says(answer({"salesorder": AN_ORDER}, 201))
    await client.create_sales_order(ORDER)
    request = zoho.calls[0]
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content)["line_items"] == [{"item_id": "2", "rate": 9.99, "quantity": 1}]


async def test_deleting_a_payment_removes_its_record(zoho: Zoho, client: ZohoClient) -> None:
    """One DELETE by Zoho's id."""
    zoho.says(answer({}))
    await client.delete_payment("31")
    (call,) = zoho.calls
    assert (call.method, call.url.path.endswith("/customerpayments/31")) == ("DELETE", True)
