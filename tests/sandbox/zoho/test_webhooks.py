"""Webhooks of workflow rules: none by default; what they tell, in which form, signed how, and what befalls them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
import pytest_asyncio
from aiohttp import web

from sandbox.serving import serve
from sandbox.zoho.app import make_app
from tests.sandbox.zoho.shop import MAIN, Row, Shop
from tests.sandbox.zoho.test_creditnotes import note, refund
from tests.sandbox.zoho.test_salesreturns import decide, received, returned, sold
from tests.sandbox.zoho.test_stock import adjust

SECRET = "abcdefghij0123456789"


class Inbox:
    """An endpoint that keeps what arrives: query, headers and body."""

    def __init__(self) -> None:
        self.url = ""
        self.received: list[tuple[list[tuple[str, str]], Any, str]] = []
        self.refuse_next = 0

    async def take(self, request: web.Request) -> web.Response:
        """Refuses the next `refuse_next`, takes the others."""
        self.received.append((list(request.query.items()), request.headers, await request.text()))
        if self.refuse_next:
            self.refuse_next -= 1
            return web.Response(status=503)
        return web.Response()

    def records(self) -> list[Row]:
        """The JSON that arrived."""
        return [json.loads(body) for _, _, body in self.received]

    async def until(self, done: Callable[[], bool], seconds: float = 5) -> None:
        """Waits until something is so."""
        async with asyncio.timeout(seconds):
            while not done():
                await asyncio.sleep(0.01)

    async def holds(self, count: int) -> None:
        """Waits until so many have arrived."""
        await self.until(lambda: len(self.received) >= count)
        assert len(self.received) == count


@pytest_asyncio.fixture(loop_scope="session")
async def inbox() -> AsyncIterator[Inbox]:
    """A running endpoint at /hook."""
    opened, app = Inbox(), web.Application()
    app.router.add_post("/hook", opened.take)
    running = await serve(app)
    opened.url = f"{running.url}/hook"
    yield opened
    await running.stop()


async def rule(shop: Shop, inbox: Inbox, **fields: Any) -> None:
    """A rule that tells the inbox."""
    await shop.control("POST", "/_webhooks", {"organization_id": MAIN, "url": inbox.url, **fields})


async def deliveries(shop: Shop) -> list[Row]:
    """All deliveries with what became of them."""
    rows: list[Row] = (await shop.control("GET", "/_deliveries"))["deliveries"]
    return rows


async def test_off_by_default(shop: Shop) -> None:
    """Without a rule nothing is told, and a reset takes every rule away."""
    order, _ = await sold(shop)
    await returned(shop, order)
    assert await deliveries(shop) == []
    await rule(shop, Inbox(), url="http://127.0.0.1:9")
    await shop.open()
    assert (await shop.control("GET", "/_webhooks"))["webhooks"] == []


async def test_a_return_is_told_from_start_to_end(shop: Shop, inbox: Inbox) -> None:
    """Made, approved, received, changed and deleted; the record as it then was, its numbers as text."""
    await shop.switch(new_return_status="draft", delete_with_children_refused=False)
    order, _ = await sold(shop)
    await rule(shop, inbox, modules=["salesreturns"])
    back = await returned(shop, order, 2)
    await decide(shop, back, "approved")
    receive = await received(shop, back, 2)
    path = f"/salesreturns/{back['salesreturn_id']}"
    await shop.call("PUT", path, {"reference_number": "re_1"})
    await shop.call("DELETE", f"/salesreturnreceives/{receive['receive_id']}")
    await shop.call("DELETE", path)
    await inbox.holds(6)
    assert [row["event"] for row in await deliveries(shop)] == ["created", *["edited"] * 4, "deleted"]
    told = [(row["salesreturn_status"], row["receive_status"], row["reference_number"]) for row in inbox.records()]
    assert told == [
        ("draft", "not_received", ""),
        ("approved", "not_received", ""),
        ("approved", "received", ""),
        ("approved", "received", "re_1"),
        ("approved", "not_received", "re_1"),
        ("approved", "not_received", "re_1"),
    ]
    assert {row["salesreturn_id"] for row in inbox.records()} == {back["salesreturn_id"]}
    assert inbox.records()[0]["line_items"][0]["quantity"] == "2"


async def test_every_module(shop: Shop, inbox: Inbox) -> None:
    """Orders, shipments, credit notes with their refunds, and adjustments are told; what is refused or read is not."""
    await rule(shop, inbox)
    _, invoice = await sold(shop)
    made = await note(shop, invoice)
    await refund(shop, made, 5)
    adjustment = await adjust(shop, 3)
    await shop.call("GET", f"/creditnotes/{made['creditnote_id']}")
    assert (await shop.send("POST", "/creditnotes", {})).status_code == 400
    await inbox.holds(6)
    assert [(row["module"], row["event"]) for row in await deliveries(shop)] == [
        ("salesorders", "created"),
        ("salesorders", "edited"),
        ("shipmentorders", "created"),
        ("creditnotes", "created"),
        ("creditnotes", "edited"),
        ("inventoryadjustments", "created"),
    ]
    told = inbox.records()
    assert told[4]["total_refunded_amount"] == "5"
    assert told[5]["inventory_adjustment_id"] == adjustment["inventory_adjustment_id"]
    assert told[5]["line_items"][0]["quantity_adjusted"] == "3"


async def test_only_what_a_rule_is_for(shop: Shop, inbox: Inbox) -> None:
    """Its organisation, its modules, its events."""
    await shop.control("POST", "/_seed", {"organizations": [{"organization_id": "200"}]})
    await rule(shop, inbox, organization_id="200")
    await rule(shop, inbox, modules=["creditnotes"], events=["created"])
    _, invoice = await sold(shop)
    await refund(shop, await note(shop, invoice), 5)
    await inbox.holds(1)
    assert inbox.records()[0]["balance"] == "20"


async def test_json_with_a_secret_and_a_signature(shop: Shop, inbox: Inbox) -> None:
    """The fixed header and query come along; the signature is over the query's pairs and the raw JSON."""
    order, _ = await sold(shop)
    query, headers = {"token": "t 1&2", "a": "ü"}, {"X-Throughline": "secret"}
    await rule(shop, inbox, query=query, headers=headers, secret=SECRET, envelope=True, modules=["salesreturns"])
    back = await returned(shop, order)
    await inbox.holds(1)
    ((pairs, got, body),) = inbox.received
    assert (dict(pairs), got["X-Throughline"], got["Content-Type"]) == (query, "secret", "application/json")
    assert json.loads(body)["salesreturn"]["salesreturn_id"] == back["salesreturn_id"]
    expected = hmac.new(SECRET.encode(), ("aü" + "tokent 1&2" + body).encode(), hashlib.sha256).hexdigest()
    assert got["X-Zoho-Webhook-Signature"] == expected


async def test_a_form_with_a_signature(shop: Shop, inbox: Inbox) -> None:
    """Each field of the record is a field of the form, lists as JSON; the signature is over all pairs."""
    order, _ = await sold(shop)
    await rule(shop, inbox, query={"token": "t"}, secret=SECRET, body="form", modules=["salesreturns"])
    back = await returned(shop, order, reason="ü & 1=1")
    await inbox.holds(1)
    ((pairs, got, body),) = inbox.received
    fields = parse_qsl(body, keep_blank_values=True)
    assert got["Content-Type"] == "application/x-www-form-urlencoded"
    assert (dict(fields)["salesreturn_id"], dict(fields)["reason"]) == (back["salesreturn_id"], "ü & 1=1")
    assert json.loads(dict(fields)["line_items"])[0]["quantity"] == "2"
    text = "".join(name + value for name, value in sorted([*pairs, *fields]))
    assert got["X-Zoho-Webhook-Signature"] == hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()


async def test_without_a_secret_nothing_is_signed(shop: Shop, inbox: Inbox) -> None:
    """The signature is optional."""
    order, _ = await sold(shop)
    await rule(shop, inbox)
    await returned(shop, order)
    await inbox.holds(1)
    assert "X-Zoho-Webhook-Signature" not in inbox.received[0][1]


async def spoil(shop: Shop, fault: str, **how: Any) -> None:
    """Arms a fault of the webhooks."""
    await shop.control("POST", "/_webhook_faults", {"fault": fault, **how})


async def three(shop: Shop, inbox: Inbox) -> list[str]:
    """The ids of three returns made one after the other, with a rule that tells them."""
    order, _ = await sold(shop)
    await rule(shop, inbox, modules=["salesreturns"])
    return [str((await returned(shop, order, 1))["salesreturn_id"]) for _ in range(3)]


def arrived(inbox: Inbox) -> list[str]:
    """The ids of the returns in the order they arrived."""
    return [row["salesreturn_id"] for row in inbox.records()]


async def test_lost(shop: Shop, inbox: Inbox) -> None:
    """The next two never leave; the third does, and the loss is on record."""
    await spoil(shop, "lost", times=2)
    ids = await three(shop, inbox)
    await inbox.holds(1)
    assert arrived(inbox) == ids[2:]
    assert [row["state"] for row in await deliveries(shop)][:2] == ["lost", "lost"]


async def test_duplicated(shop: Shop, inbox: Inbox) -> None:
    """The next one comes twice, the same to the byte."""
    await spoil(shop, "duplicated", times=1)
    ids = await three(shop, inbox)
    await inbox.holds(4)
    assert arrived(inbox) == [ids[0], *ids]
    assert inbox.received[0][2] == inbox.received[1][2]


async def test_reordered(shop: Shop, inbox: Inbox) -> None:
    """The next one is overtaken by the one after it."""
    await spoil(shop, "reordered", times=1)
    ids = await three(shop, inbox)
    await inbox.holds(3)
    assert sorted(arrived(inbox)) == ids
    assert arrived(inbox).index(ids[0]) > arrived(inbox).index(ids[1])


async def test_reordered_with_nothing_after_it(shop: Shop, inbox: Inbox) -> None:
    """What waits to be overtaken goes out all the same, only late."""
    await shop.switch(webhook_late_seconds=0.2)
    order, _ = await sold(shop)
    await rule(shop, inbox, modules=["salesreturns"])
    await spoil(shop, "reordered", times=1)
    await returned(shop, order, 1)
    assert inbox.received == []
    await inbox.holds(1)


@pytest.mark.parametrize(("fault", "count"), [("lost", 0), ("duplicated", 6), ("reordered", 3)])
async def test_faults_as_a_share(shop: Shop, inbox: Inbox, fault: str, count: int) -> None:
    """A share of 1 is each of them, of 0 none."""
    await shop.switch(webhook_late_seconds=0.2)
    await spoil(shop, fault, share=1)
    await three(shop, inbox)
    await inbox.until(lambda: len(inbox.received) == count)
    await spoil(shop, fault, share=0)
    order, _ = await sold(shop, "SO-2")
    await returned(shop, order, 1)
    await inbox.until(lambda: len(inbox.received) == count + 1)


async def test_not_taken(shop: Shop, inbox: Inbox) -> None:
    """By default nothing is sent again; with the switch it is, until it is taken."""
    inbox.refuse_next = 1
    order, _ = await sold(shop)
    await rule(shop, inbox, modules=["salesreturns"])
    await returned(shop, order, 1)
    await state(shop, 0, "failed")
    await shop.switch(webhook_retries=3, webhook_retry_seconds=0.01, webhook_timeout_seconds=2)
    inbox.refuse_next = 2
    await returned(shop, order, 1)
    row = await state(shop, 1, "delivered")
    assert [attempt["status"] for attempt in row["attempts"]] == [503, 503, 200]


async def state(shop: Shop, place: int, wanted: str) -> Row:
    """The delivery at that place, once it is in that state."""
    async with asyncio.timeout(5):
        while True:
            rows = await deliveries(shop)
            if len(rows) > place and rows[place]["state"] == wanted:
                return rows[place]
            await asyncio.sleep(0.01)


async def test_nobody_there(shop: Shop) -> None:
    """An endpoint that is away costs the caller nothing; the failure is on record."""
    order, _ = await sold(shop)
    away = Inbox()
    await rule(shop, away, url="http://127.0.0.1:9/hook")
    await returned(shop, order, 1)
    assert "127.0.0.1" in (await state(shop, 0, "failed"))["attempts"][0]["error"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"colour": "blue"}, "colour"),
        ({"url": "ftp://x"}, "http"),
        ({"modules": ["invoices"]}, "salesreturns"),
        ({"events": ["read"]}, "deleted"),
        ({"body": "xml"}, "form"),
        ({"secret": "short"}, "12 to 50"),
        ({"headers": "X: 1"}, "headers"),
        ({"organization_id": "7"}, "7"),
    ],
)
async def test_a_rule_that_is_wrong(shop: Shop, changes: Row, words: str) -> None:
    """It is refused with a sentence that names what is wrong, and not kept."""
    body = {"organization_id": MAIN, "url": "http://127.0.0.1:9/", **changes}
    answer = await shop.http.post("/_webhooks", json=body)
    assert (answer.status_code, words in answer.json()["error"]) == (400, True)
    assert (await shop.control("GET", "/_webhooks"))["webhooks"] == []


@pytest.mark.parametrize(
    "body", [{"fault": "burnt"}, {"fault": "lost", "share": "half"}, {"fault": "lost", "often": 1}]
)
async def test_a_fault_that_is_wrong(shop: Shop, body: Row) -> None:
    """It is refused."""
    assert (await shop.http.post("/_webhook_faults", json=body)).status_code == 400


async def test_rules_are_taken_away(shop: Shop, inbox: Inbox) -> None:
    """DELETE forgets rules, faults and deliveries; nothing is told any more."""
    order, _ = await sold(shop)
    await rule(shop, inbox)
    await spoil(shop, "lost", share=1)
    await returned(shop, order, 1)
    await shop.control("DELETE", "/_webhooks")
    found = await shop.control("GET", "/_webhooks")
    assert (found["webhooks"], found["faults"]["lost"]) == ([], {"share": 0, "times": 0})
    await returned(shop, order, 1)
    assert await deliveries(shop) == []


async def test_rules_and_what_was_on_its_way_survive(tmp_path: Path, inbox: Inbox) -> None:
    """With a state file a stopped program keeps returns and rules, and tells what it had not told yet."""
    path = tmp_path / "zoho.db"
    first = await serve(make_app(state=path))
    async with httpx.AsyncClient(base_url=first.url) as http:
        shop = Shop(http)
        await shop.open()
        await shop.switch(webhook_late_seconds=60)
        order, _ = await sold(shop)
        await rule(shop, inbox, modules=["salesreturns"])
        await spoil(shop, "reordered", times=1)
        back = await returned(shop, order, 2)
        before, headers = await shop.ledger(), shop.headers
    await first.stop()
    assert inbox.received == []
    second = await serve(make_app(state=path))
    async with httpx.AsyncClient(base_url=second.url) as http:
        shop = Shop(http)
        shop.headers = headers
        after = await shop.ledger()
        assert (after["salesreturns"], after["salesorders"]) == (before["salesreturns"], before["salesorders"])
        await received(shop, back, 2)
        await inbox.holds(2)
        assert [row["receive_status"] for row in inbox.records()] == ["received", "not_received"]
    await second.stop()
