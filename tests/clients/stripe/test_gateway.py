"""The gateway against fixed answers: which requests it sends, and what it makes of every kind of failure."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import stripe
from aiohttp import web

from clients.errors import (
    ClientError,
    NotAllowed,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Refused,
    TryLater,
    Unreachable,
)
from clients.stripe.gateway import STRIPE_VERSION, StripeAccountInfo, StripeGateway
from domain.mapping_policy import MappingPolicy
from domain.money import Money
from domain.payments import LineSource, PaymentStatus
from tests.clients.stripe.conftest import account_at
from tests.clients.stripe.fake import FakeStripe, listed, sample
from tests.clients.stripe.test_lines import checkout_row, invoice_row


def _dumps(answer: object) -> str:
    return json.dumps(answer, default=str)


PI = "pi_3SCN000000000000000001"
CS = "cs_test_SCN0000000000000000000000000000000000000001"
Call = Callable[[StripeGateway], Awaitable[object]]


def read(gateway: StripeGateway) -> Awaitable[object]:
    return gateway.fetch_payment(PI)


def write(gateway: StripeGateway) -> Awaitable[object]:
    return gateway.write_metadata(PI, {"zoho_order": "SO-1"}, idempotency_key="run/step")


def paid_intent(fake: FakeStripe, **changes: Any) -> None:
    """A paid intent that no session, invoice or detail knows."""
    fake.on(f"GET /v1/payment_intents/{PI}", sample("payment_intent") | changes)
    fake.on("GET /v1/checkout/sessions", listed())
    fake.on("GET /v1/invoice_payments", listed())
    fake.on(f"GET /v1/payment_intents/{PI}/amount_details_line_items", listed())


async def test_a_checkout_payment_takes_three_requests(fake: FakeStripe, gateway: StripeGateway) -> None:
    """Intent, session, its lines: with what has to be expanded, the pinned version and our key."""
    paid_intent(fake)
    fake.on("GET /v1/checkout/sessions", listed(sample("checkout_session")))
    fake.on(f"GET /v1/checkout/sessions/{CS}/line_items", sample("line_items"))
    facts = await gateway.fetch_payment(PI)
    assert (facts.line_source, facts.session_id, len(facts.lines)) == (LineSource.CHECKOUT, CS, 2)
    assert sum(line.total.minor for line in facts.lines) == facts.money.minor
    assert [(one.path, one.query) for one in fake.sent] == [
        (f"/v1/payment_intents/{PI}", [("expand[0]", "latest_charge.balance_transaction"), ("expand[1]", "customer")]),
        (
            "/v1/checkout/sessions",
            [("payment_intent", PI), ("limit", "1"), ("expand[0]", "data.shipping_cost.taxes")],
        ),
        (
            f"/v1/checkout/sessions/{CS}/line_items",
            [("limit", "100"), ("expand[0]", "data.price.product"), ("expand[1]", "data.taxes")],
        ),
    ]
    assert {one.headers["Stripe-Version"] for one in fake.sent} == {STRIPE_VERSION}
    assert {one.headers["Authorization"] for one in fake.sent} == {"Bearer rk_test_shop"}


async def test_all_pages_of_lines_are_read(fake: FakeStripe, gateway: StripeGateway) -> None:
    """101 lines come in two pages, each line once."""
    paid_intent(fake)
    fake.on("GET /v1/checkout/sessions", listed(sample("checkout_session")))
    rows = [checkout_row(id=f"li_{n}") for n in range(101)]

    async def page(request: web.Request) -> web.Response:
        start = 100 if request.query.get("starting_after") == "li_99" else 0
        answer = listed(*rows[start : start + 100], has_more=start == 0)
        answer["url"] = request.path
        return web.json_response(answer, dumps=_dumps)

    fake.on(f"GET /v1/checkout/sessions/{CS}/line_items", page)
    facts = await gateway.fetch_payment(PI)
    assert [line.line_id for line in facts.lines] == [f"li_{n}" for n in range(101)]
    assert facts.lines[100].taxes[0].percentage == 19
    assert len(fake.sent) == 4


async def test_an_invoice_gives_its_lines(fake: FakeStripe, gateway: StripeGateway) -> None:
    """Its product is asked for, and a tax rate only where the invoice does not show it: six requests."""
    paid_intent(fake)
    invoice = {
        "id": "in_1",
        "currency": "eur",
        "customer_name": "Ada",
        "customer_email": "ada@example.com",
        "metadata": {"po": "77"},
        "default_tax_rates": [{"id": "txr_20", "percentage": 20, "inclusive": True}],
        "shipping_cost": None,
    }
    fake.on("GET /v1/invoice_payments", listed(sample("invoice_payment") | {"invoice": invoice}))
    row = invoice_row()
    row["pricing"]["unit_amount_decimal"] = "500"
    fake.on("GET /v1/invoices/in_1/lines", listed(row))
    fake.on("GET /v1/products/prod_1", {"id": "prod_1", "name": "Cup", "metadata": {"sku": "CUP"}})
    fake.on("GET /v1/tax_rates/txr_7", {"id": "txr_7", "object": "tax_rate", "percentage": 6.9})
    facts = await gateway.fetch_payment(PI)
    assert (facts.line_source, facts.invoice_id, facts.metadata["po"]) == (LineSource.INVOICE, "in_1", "77")
    assert [(line.sku, line.total) for line in facts.lines] == [("CUP", Money.of(1550, "EUR"))]
    assert facts.buyer.email == "ada@example.com"
    assert len(fake.sent) == 6
    by_path = {one.path: one.query for one in fake.sent}
    assert ("payment[type]", "payment_intent") in by_path["/v1/invoice_payments"]
    assert ("payment[payment_intent]", PI) in by_path["/v1/invoice_payments"]
    assert by_path["/v1/invoices/in_1/lines"] == [
        ("limit", "100"),
        ("expand[0]", "data.pricing.price_details.price"),
    ]


async def test_amount_details_come_before_metadata(fake: FakeStripe, gateway: StripeGateway) -> None:
    """Without session and invoice the intent's own lines count, then those of its metadata."""
    paid_intent(fake, metadata={"line_1": "META*1@3999"})
    facts = await gateway.fetch_payment(PI)
    assert (facts.line_source, facts.lines[0].sku, len(fake.sent)) == (LineSource.METADATA, "META", 4)
    row = {"id": "li_d", "product_code": "CODE", "product_name": "Lamp", "quantity": 1, "unit_cost": 3999}
    fake.on(f"GET /v1/payment_intents/{PI}/amount_details_line_items", listed(row))
    facts = await gateway.fetch_payment(PI)
    assert (facts.line_source, facts.lines[0].sku) == (LineSource.AMOUNT_DETAILS, "CODE")


async def test_a_payment_without_lines_says_so(fake: FakeStripe, gateway: StripeGateway) -> None:
    """No source has lines: none are made up from the total."""
    paid_intent(fake)
    facts = await gateway.fetch_payment(PI)
    assert (facts.line_source, facts.lines) == (LineSource.NONE, ())


async def test_an_unpaid_intent_takes_one_request(fake: FakeStripe, gateway: StripeGateway) -> None:
    """Lines are looked for only once the money is there."""
    paid_intent(fake, status="requires_capture", amount_received=0)
    facts = await gateway.fetch_payment(PI)
    assert (facts.status, facts.money.minor) == (PaymentStatus.UNCAPTURED, 0)
    assert fake.paths() == [f"GET /v1/payment_intents/{PI}"]


async def test_a_charge_without_intent_is_a_payment(fake: FakeStripe, gateway: StripeGateway) -> None:
    """Its lines can only be in its metadata: one request. With an intent it is refused, for that is the payment."""
    charge = sample("payment_intent")["latest_charge"]
    fake.on("GET /v1/charges/ch_1", charge | {"payment_intent": None, "metadata": {"line_1": "OLD*1@3999"}})
    facts = await gateway.fetch_payment("ch_1")
    assert (facts.line_source, facts.lines[0].sku, len(fake.sent)) == (LineSource.METADATA, "OLD", 1)
    fake.on("GET /v1/charges/ch_1", charge)
    with pytest.raises(Refused, match=PI):
        await gateway.fetch_payment("ch_1")


async def test_values_of_a_wrong_kind_are_refused(fake: FakeStripe, gateway: StripeGateway) -> None:
    """An amount that is no integer stops the payment with the field's name and without its value."""
    paid_intent(fake, amount_received="many")
    with pytest.raises(Refused, match="minor") as caught:
        await gateway.fetch_payment(PI)
    assert "many" not in str(caught.value)


@pytest.mark.parametrize(
    ("object_id", "answers", "payment", "requests"),
    [
        (PI, {}, PI, 0),
        ("ch_1", {"/charges/ch_1": {"id": "ch_1", "payment_intent": PI}}, PI, 1),
        ("py_1", {"/charges/py_1": {"id": "py_1", "payment_intent": None}}, "py_1", 1),
        ("cs_1", {"/checkout/sessions/cs_1": {"id": "cs_1", "payment_intent": PI}}, PI, 1),
        ("cs_1", {"/checkout/sessions/cs_1": {"id": "cs_1", "payment_intent": None}}, None, 1),
        (
            "cs_1",
            {
                "/checkout/sessions/cs_1": {"id": "cs_1", "invoice": "in_1"},
                "/invoice_payments": listed(sample("invoice_payment")),
            },
            "pi_103Q0w2eZvKYlo2C364X582Z",
            2,
        ),
        ("in_1", {"/invoice_payments": listed(sample("invoice_payment"))}, "pi_103Q0w2eZvKYlo2C364X582Z", 1),
        ("in_1", {"/invoice_payments": listed({"id": "inpay_1", "payment": {"charge": "ch_9"}})}, "ch_9", 1),
        ("in_1", {"/invoice_payments": listed()}, None, 1),
        (
            "inpay_1",
            {"/invoice_payments/inpay_1": sample("invoice_payment")},
            "pi_103Q0w2eZvKYlo2C364X582Z",
            1,
        ),
    ],
)
async def test_an_id_leads_to_its_payment(
    fake: FakeStripe,
    gateway: StripeGateway,
    object_id: str,
    answers: dict[str, Any],
    payment: str | None,
    requests: int,
) -> None:
    """Charges, sessions and invoices name their payment in as few requests as can be."""
    for path, answer in answers.items():
        fake.on(f"GET /v1{path}", answer)
    assert await gateway.resolve_payment(object_id) == payment
    assert len(fake.sent) == requests


async def test_an_id_of_another_kind_is_refused(gateway: StripeGateway) -> None:
    """A payout has no payment, and asking again will not change that."""
    with pytest.raises(Refused, match="po_1"):
        await gateway.resolve_payment("po_1")


async def test_metadata_is_written_with_our_key(fake: FakeStripe, gateway: StripeGateway) -> None:
    """Intents and charges are updated, each under the key that the caller chose."""
    fake.on(f"POST /v1/payment_intents/{PI}", {"id": PI, "object": "payment_intent"})
    fake.on("POST /v1/charges/ch_1", {"id": "ch_1", "object": "charge"})
    await gateway.write_metadata(PI, {"zoho_order": "SO-1"}, idempotency_key="run/a")
    await gateway.write_metadata("ch_1", {"zoho_order": "SO-2"}, idempotency_key="run/b")
    assert [(one.form, one.headers["Idempotency-Key"]) for one in fake.sent] == [
        ([("metadata[zoho_order]", "SO-1")], "run/a"),
        ([("metadata[zoho_order]", "SO-2")], "run/b"),
    ]


async def test_the_account_of_the_key(fake: FakeStripe, gateway: StripeGateway) -> None:
    """Id, country and currency are the account's, the mode is the key's."""
    fake.on("GET /v1/account", {"id": "acct_1Shop", "country": "DE", "default_currency": "eur"})
    assert await gateway.get_account() == StripeAccountInfo("acct_1Shop", False, "DE", "EUR")


async def test_nothing_is_told_about_us(fake: FakeStripe, gateway: StripeGateway) -> None:
    """Telemetry is off for the whole process and no request carries it."""
    fake.on("GET /v1/account", {"id": "acct_1Shop"})
    for _ in range(2):
        await gateway.get_account()
    assert stripe.enable_telemetry is False
    assert not [name for one in fake.sent for name in one.headers if "telemetry" in name.lower()]


def refusal(code: str | None = None, kind: str = "invalid_request_error") -> dict[str, Any]:
    return {"error": {"type": kind, "code": code, "message": "Stripe's words"}}


@pytest.mark.parametrize(
    ("status", "body", "on_read", "on_write"),
    [
        (400, refusal("parameter_unknown"), Refused, Refused),
        (400, refusal(kind="idempotency_error"), Refused, Refused),
        (401, refusal(), NotAllowed, NotAllowed),
        (402, refusal("card_declined", "card_error"), Refused, Refused),
        (403, refusal(), NotAllowed, NotAllowed),
        (404, refusal("resource_missing"), NotFound, NotFound),
        (409, refusal("idempotency_key_in_use"), TryLater, OutcomeUnknown),
        (429, refusal("lock_timeout"), RateLimited, RateLimited),
        (500, refusal(kind="api_error"), TryLater, OutcomeUnknown),
        (502, "<html>", TryLater, OutcomeUnknown),
        (200, '{"email": "ada@example.com", ', TryLater, OutcomeUnknown),
        (200, "[]", TryLater, OutcomeUnknown),
        (500, "[]", TryLater, OutcomeUnknown),
        (400, '{"error": "words"}', TryLater, OutcomeUnknown),
    ],
)
async def test_an_answer_becomes_one_of_our_errors(
    fake: FakeStripe,
    gateway: StripeGateway,
    status: int,
    body: object,
    on_read: type[ClientError],
    on_write: type[ClientError],
) -> None:
    """Each status says whether the write may have happened; it is asked once and never retried here."""

    async def answer(request: web.Request) -> web.Response:
        text = body if isinstance(body, str) else _dumps(body)
        return web.Response(text=text, status=status, headers={"Request-Id": "req_9", "Retry-After": "3"})

    fake.on(f"GET /v1/payment_intents/{PI}", answer)
    fake.on(f"POST /v1/payment_intents/{PI}", answer)
    for call, expected in ((read, on_read), (write, on_write)):
        with pytest.raises(ClientError) as caught:
            await call(gateway)
        assert type(caught.value) is expected
        assert caught.value.status in (status, 0)
        assert "ada@example.com" not in str(caught.value)
        if isinstance(body, dict) and expected in (RateLimited, TryLater, OutcomeUnknown):
            assert caught.value.retry_after == 3
    assert len(fake.sent) == 2


async def test_stripes_words_are_kept(fake: FakeStripe, gateway: StripeGateway) -> None:
    """Code, message and request id of a refusal stay readable; the key does not appear."""
    with pytest.raises(NotFound) as caught:
        await gateway.fetch_payment(PI)
    assert (caught.value.code, caught.value.service) == ("resource_missing", "stripe")
    assert "No such thing (req_1)" in str(caught.value)
    fake.on("GET /v1/account", {"error": {"message": "Invalid API Key provided: rk_test_shop"}}, status=401)
    with pytest.raises(NotAllowed) as refused:
        await gateway.get_account()
    assert "rk_test_shop" not in str(refused.value)


@pytest.mark.parametrize(("call", "expected"), [(read, TryLater), (write, OutcomeUnknown)])
@pytest.mark.parametrize("silent", [True, False])
async def test_silence_leaves_a_write_open(
    fake: FakeStripe, gateway: StripeGateway, call: Call, expected: type[ClientError], silent: bool
) -> None:
    """No answer in time, or a closed connection, after the request was sent: a read may be repeated at once."""
    released = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        if silent:
            await released.wait()
        elif request.transport is not None:
            request.transport.close()
        return web.Response()

    fake.on(f"GET /v1/payment_intents/{PI}", answer)
    fake.on(f"POST /v1/payment_intents/{PI}", answer)
    with pytest.raises(ClientError) as caught:
        await call(gateway)
    released.set()
    assert type(caught.value) is expected


@pytest.mark.parametrize("call", [read, write])
async def test_no_connection_means_nothing_was_sent(call: Call, unused_tcp_port: int) -> None:
    """Nobody listens: neither the read nor the write can have happened."""
    gateway = StripeGateway(account_at(f"http://127.0.0.1:{unused_tcp_port}"), MappingPolicy())
    with pytest.raises(Unreachable):
        await call(gateway)
    await gateway.close()
