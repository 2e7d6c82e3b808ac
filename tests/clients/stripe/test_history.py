"""What happened in an account, asked of the sandbox page by page; requests hold against Stripe's own tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from aiohttp import web

from clients.stripe.gateway import StripeGateway
from clients.stripe.history import MOST_TYPES
from clients.stripe.raw import Raw
from domain.backfills import ChargeRow
from ingress.starter import Starter
from tests.clients.stripe.fake import FakeStripe, listed
from tests.clients.stripe.shop import Shop

HOUR = timedelta(hours=1)


def span() -> tuple[datetime, datetime]:
    """The last hour, this second included."""
    now = datetime.now(UTC)
    return now - HOUR, now + timedelta(seconds=1)


async def test_events_come_in_pages_newest_first_and_each_once(shop: Shop) -> None:
    """Only the types that were asked for; what is outside of the time is not there."""
    for _ in range(60):
        await shop.pay("bare", amount=900)
    history, types = shop.gateway.history, ["payment_intent.succeeded", "charge.succeeded"]
    seen: list[Raw] = []
    after, pages = "", 0
    while pages == 0 or after:
        rows, after = await history.events(types, *span(), after)
        seen, pages = [*seen, *rows], pages + 1
    made = [row for row in await shop.ledger("events") if row["type"] in types]
    assert (pages, len(seen)) == (2, 120)
    assert [row["id"] for row in seen] == [row["id"] for row in reversed(made)]
    begin, _ = span()
    assert await history.events(types, begin - HOUR, begin) == ([], "")


async def test_all_types_that_we_listen_to_fit_one_question(shop: Shop) -> None:
    """Stripe takes twenty at a time, and so does the sandbox."""
    assert len(Starter.listens_to) <= MOST_TYPES
    await shop.pay("bare", amount=900)
    rows, _ = await shop.gateway.history.events(Starter.listens_to, *span())
    assert {row["type"] for row in rows} == {"payment_intent.succeeded", "charge.succeeded"}


async def test_what_an_endpoint_did_not_take_is_told_apart(shop: Shop) -> None:
    """An endpoint that nobody listens at has taken nothing; without one nothing is undelivered."""
    types = ["payment_intent.succeeded"]
    await shop.post("/_switches", {"webhook_retries": 0})
    made = await shop.pay("bare", amount=900)
    assert await shop.gateway.history.undelivered(types, *span()) == set()
    await shop.post("/_endpoints", {"url": "http://127.0.0.1:9/closed"})
    lost = await shop.pay("bare", amount=900)
    [event] = [
        row
        for row in await shop.ledger("events")
        if row["type"] in types and row["data"]["object"]["id"] == lost["payment_intent"]
    ]
    assert made["payment_intent"] != lost["payment_intent"]
    assert await shop.gateway.history.undelivered(types, *span()) == {event["id"]}
    assert (await shop.gateway.history.event(event["id"]))["type"] == "payment_intent.succeeded"


async def test_money_names_what_made_it_and_its_payment(shop: Shop) -> None:
    """A charge, a refund and a dispute, each with the payment that it belongs to; a fee's row has none of them."""
    await shop.post("/_switches", {"balance_after": 0})
    made, alone = await shop.pay("bare", amount=900), await shop.pay("charge_only", amount=700)
    refund = (await shop.post("/_refunds", {"payment_intent": made["payment_intent"], "amount": 300}))["id"]
    dispute = (await shop.post(f"/_charges/{alone['charge']}/dispute", {}))["id"]
    rows, after = await shop.gateway.history.money(*span())
    assert after == ""
    assert {(row.category, row.source, row.payment_id) for row in rows} == {
        ("charge", made["charge"], made["payment_intent"]),
        ("charge", alone["charge"], alone["charge"]),
        ("refund", refund, made["payment_intent"]),
        ("dispute", dispute, alone["charge"]),
    }


async def test_what_is_asked_exists_at_stripe(gateway: StripeGateway, fake: FakeStripe) -> None:
    """Every parameter, by the vendor's tables (the fixture checks what was sent)."""
    fake.on("GET /v1/events", listed())
    fake.on("GET /v1/balance_transactions", listed())
    begin, end = span()
    await gateway.history.events(Starter.listens_to, begin, end, "evt_1")
    await gateway.history.undelivered(Starter.listens_to, begin, end)
    await gateway.history.money(begin, end, "txn_1")
    assert len(fake.sent) == 3


async def test_charges_come_oldest_first_however_many_there_are(shop: Shop) -> None:
    """A time that holds more than a page is halved until it fits; each charge that took money comes once."""
    paid = []
    for back in (3 * 86400, 86400 * 2, 3600):
        await shop.post("/_clock", {"advance": -back})
        for number in range(70):
            paid.append((await shop.pay("bare", amount=900 + number))["payment_intent"])
        await shop.pay("bare", amount=900, outcome="unpaid")
        await shop.post("/_clock", {"advance": back})
    alone = await shop.pay("charge_only", lines=[{"sku": "MUG", "unit_amount": 900}])
    await shop.pay("bare", amount=900, capture="manual")
    now = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    begin, end, tried = now - 4 * 24 * HOUR, now, 4 * 24 * HOUR
    seen: list[ChargeRow] = []
    pages = 0
    while begin < end:
        page = await shop.gateway.history.charges(begin, end, tried)
        assert all(begin <= row.at < page.until for row in page.rows)
        seen, pages, begin, tried = [*seen, *page.rows], pages + 1, page.until, page.span
    assert [row.payment_id for row in seen] == [*paid, alone["charge"]]
    assert seen[-1].charge_id == alone["charge"]
    assert pages <= 8


async def test_more_charges_than_a_page_in_one_second_are_all_there(gateway: StripeGateway, fake: FakeStripe) -> None:
    """Stripe's times have no finer part to divide by: then the pages of that second are read to the last."""
    begin = datetime(2026, 11, 20, tzinfo=UTC)

    def charge(number: int) -> dict[str, object]:
        about = {"id": f"ch_{number}", "payment_intent": f"pi_{number}", "created": int(begin.timestamp())}
        return {**about, "object": "charge", "status": "succeeded", "captured": True}

    async def answer(request: web.Request) -> web.Response:
        after = request.query.get("starting_after", "ch_120")
        rows = [charge(number) for number in range(119, -1, -1)]
        left = rows[120 - int(after[3:]) :]
        return web.json_response({**listed(*left[:100], has_more=len(left) > 100), "url": "/v1/charges"})

    fake.on("GET /v1/charges", answer)
    page = await gateway.history.charges(begin, begin + 24 * HOUR, 24 * HOUR)
    assert [row.payment_id for row in page.rows] == [f"pi_{number}" for number in range(120)]
    assert page.until == begin + timedelta(seconds=1)


async def test_a_refunded_charge_says_so(shop: Shop) -> None:
    """What a backfill does not book is counted."""
    made = await shop.pay("bare", amount=900)
    await shop.post("/_refunds", {"payment_intent": made["payment_intent"], "amount": 100})
    page = await shop.gateway.history.charges(*span(), HOUR)
    page = page if page.rows else await shop.gateway.history.charges(page.until, span()[1], HOUR)
    assert [(row.refunded, row.disputed) for row in page.rows] == [(True, False)]
