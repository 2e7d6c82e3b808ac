"""Seed, ledger, reset, clock, switches, and a state that survives the program."""

from __future__ import annotations

import inspect
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from sandbox.serving import serve
from sandbox.zoho import switches
from sandbox.zoho.app import make_app
from sandbox.zoho.switches import NAMES, Switches
from tests.sandbox.zoho.shop import MAIN, SHOP, Row, Shop

HERE = Path(__file__).parent


async def test_seed_twice(shop: Shop) -> None:
    """Seeding the same again changes nothing, neither stock nor ids."""
    await shop.sent(await shop.confirmed())
    before = await shop.ledger()
    await shop.control("POST", "/_seed", {"organizations": [SHOP]})
    after = await shop.ledger()
    for kind in ("items", "salesorders", "invoices", "organization"):
        assert after[kind] == before[kind]
    taxes = (await shop.call("GET", "/settings/taxes"))["taxes"]
    assert len(taxes) == 5


async def test_seed_adds(shop: Shop) -> None:
    """Seeding again adds what is new and changes settings."""
    more = {"organization_id": MAIN, "items": [{"sku": "NEW", "stock": 1}], "minute_limit": 1, "name": "New name"}
    await shop.control("POST", "/_seed", {"organizations": [more]})
    assert {item["sku"] for item in (await shop.ledger())["items"]} == {"MUG", "CUP", "WRAP", "NEW"}
    assert (await shop.ledger())["organization"]["name"] == "New name"
    assert [(await shop.send("GET", "/items")).status_code for _ in range(2)] == [200, 429]


@pytest.mark.parametrize(
    ("organization", "words"),
    [
        ({}, "organization_id"),
        ({"organization_id": "1", "colour": "blue"}, "colour"),
        ({"organization_id": "1", "plan": "gold"}, "enterprise"),
        ({"organization_id": "1", "time_zone": "Mars/Olympus"}, "Mars/Olympus"),
        ({"organization_id": "1", "preferences": {"no_such": True}}, "no_such"),
        ({"organization_id": "1", "items": [{"name": "A", "rate": "x"}]}, "rate"),
    ],
)
async def test_seed_refused(shop: Shop, organization: Row, words: str) -> None:
    """A wrong seed is refused with a sentence that names what is wrong."""
    answer = await shop.http.post("/_seed", json={"organizations": [organization]})
    assert answer.status_code == 400
    assert words in answer.text


@pytest.mark.parametrize(("code", "precision"), [("JPY", 0), ("KWD", 3), ("USD", 2)])
async def test_base_currency(shop: Shop, code: str, precision: int) -> None:
    """An organisation's own currency has its decimals without being listed."""
    await shop.open({"organization_id": MAIN, "currency_code": code})
    organization = (await shop.ledger())["organization"]
    assert (organization["currency_code"], organization["price_precision"]) == (code, precision)


async def test_preferences(shop: Shop) -> None:
    """An organisation's preferences go before the program's switches."""
    await shop.open({**SHOP, "preferences": {"duplicate_contact_names": True, "minute_block_seconds": 5}})
    await shop.switch(duplicate_contact_names=False)
    await shop.contact("Ada")
    await shop.contact("Ada")


async def test_ledger(shop: Shop) -> None:
    """The ledger tells all records, the stock and the calls of an organisation."""
    invoice = await shop.sent(await shop.confirmed())
    await shop.pay(invoice, bank_charges="0.88")
    found = await shop.ledger()
    assert [len(found[kind]) for kind in ("contacts", "salesorders", "invoices", "payments")] == [1, 1, 1, 1]
    mug = next(item for item in found["items"] if item["sku"] == "MUG")
    assert (mug["opening"], mug["accounting"], mug["physical"], mug["committed"]) == (100, 98, 100, 0)
    assert found["accounts"]["Undeposited Funds"] == {"EUR": Decimal("19.12")}
    assert found["calls"]["counts"] == {
        "POST /contacts": 1,
        "GET /items": 1,
        "POST /salesorders": 1,
        "POST /salesorders/{salesorder_id}/status/confirmed": 1,
        "POST /invoices": 1,
        "POST /invoices/{invoice_id}/status/sent": 1,
        "POST /customerpayments": 1,
    }
    assert found["calls"]["last"][0]["operation"] == "POST /contacts"
    assert found["calls"]["last"][-1]["status"] == 201
    assert "_" not in "".join(key[0] for key in found["salesorders"][0])


async def test_ledger_of_one(shop: Shop) -> None:
    """The ledger can be asked for one organisation, and counts the calls to the accounts server."""
    await shop.open(SHOP, {"organization_id": "200"})
    await shop.token(client_secret="wrong")
    found = await shop.control("GET", "/_ledger?organization_id=200")
    assert list(found["organizations"]) == ["200"]
    part = await shop.control("GET", f"/_ledger?organization_id={MAIN}&only=items,calls")
    assert set(part["organizations"][MAIN]) == {"items", "calls"}
    assert found["token_calls"] == {"issued": 1, "invalid_client": 1}


async def test_refused_calls_counted(shop: Shop) -> None:
    """Calls that a limit refused are counted under its code."""
    await shop.open({**SHOP, "minute_limit": 1})
    for _ in range(3):
        await shop.send("GET", "/items")
    calls = (await shop.ledger())["calls"]
    assert (calls["counts"], calls["refused"]) == ({"GET /items": 3}, {"44": 2})


async def test_reset(shop: Shop) -> None:
    """A reset forgets organisations, tokens, switches, faults and the clock's offset."""
    await shop.contact()
    await shop.switch(list_lag_seconds=5)
    await shop.fault(fault="server_error", times=None)
    await shop.advance(10_000)
    await shop.control("POST", "/_reset")
    assert (await shop.control("GET", "/_ledger"))["organizations"] == {}
    assert (await shop.control("GET", "/_switches"))["switches"]["list_lag_seconds"] == 0
    assert (await shop.control("GET", "/_faults"))["faults"] == []
    assert (await shop.send("GET", "/items")).json()["code"] == 57
    await shop.open()
    await shop.call("GET", "/items")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"no_such": 1}, "no_such"),
        ({"accept_bearer": 1}, "true or false"),
        ({"minute_block_seconds": -1}, "seconds"),
        ({"tax_rounding": "never"}, "entity_level"),
    ],
)
async def test_switch_refused(shop: Shop, body: Row, words: str) -> None:
    """A switch or position that does not exist is refused with the ones that do."""
    answer = await shop.http.post("/_switches", json=body)
    assert answer.status_code == 400
    assert words in answer.json()["error"]


async def test_clock_refused(shop: Shop) -> None:
    """The clock takes seconds only."""
    assert (await shop.http.post("/_clock", json={"advance": "soon"})).status_code == 400
    assert (await shop.http.post("/_clock", json={})).status_code == 400


def test_every_switch_tested() -> None:
    """Each switch is moved by a test of this folder."""
    text = "".join(path.read_text(encoding="utf-8") for path in HERE.glob("test_*.py"))
    assert [name for name in NAMES if f"{name}=" not in text] == []


def test_every_switch_explained() -> None:
    """Each switch follows a comment that names the doubt."""
    lines = inspect.getsource(switches).splitlines()
    places = [i for i, line in enumerate(lines) if line.strip().split(":")[0] in NAMES and line.startswith("    ")]
    assert len(places) == len(NAMES)
    assert [lines[i] for i in places if not lines[i - 1].strip().startswith("# ")] == []


async def test_state_survives(tmp_path: Path) -> None:
    """With a state file a stopped program goes on where it was: records, ids, tokens, switches, clock and stock."""
    state = tmp_path / "zoho.db"
    first = await serve(make_app(state=state))
    async with httpx.AsyncClient(base_url=first.url) as http:
        shop = Shop(http)
        await shop.open()
        order = await shop.confirmed(reference_number="pi_1", line_items=[{"name": "A", "rate": "0.10"}])
        mugs = await shop.order(await shop.contact("Bob"), "SO-2")
        await shop.call("POST", f"/salesorders/{mugs['salesorder_id']}/status/confirmed")
        invoice = await shop.sent(mugs)
        await shop.switch(list_lag_seconds=0.5, minute_block_seconds=7)
        await shop.advance(100)
        before, headers = await shop.ledger(), shop.headers
    await first.stop()
    second = await serve(make_app(state=state))
    async with httpx.AsyncClient(base_url=second.url) as http:
        shop = Shop(http)
        shop.headers = headers
        after = await shop.ledger()
        for kind in ("contacts", "salesorders", "invoices", "payments", "items", "organization"):
            assert after[kind] == before[kind]
        rows = (await shop.call("GET", "/salesorders", reference_number="pi_1"))["salesorders"]
        assert [row["salesorder_id"] for row in rows] == [order["salesorder_id"]]
        await shop.pay(invoice)
        assert int((await shop.contact("Cid"))["contact_id"]) > int(before["invoices"][-1]["invoice_id"])
        held = (await shop.control("GET", "/_switches"))["switches"]
        assert (held["list_lag_seconds"], held["minute_block_seconds"]) == (Decimal("0.5"), 7)
    await second.stop()


async def test_switches_at_start() -> None:
    """A program can be started with other positions, and a reset returns to them."""
    running = await serve(make_app(switches=Switches(retry_after_header=True)))
    async with httpx.AsyncClient(base_url=running.url) as http:
        await http.post("/_switches", json={"retry_after_header": False})
        await http.post("/_reset")
        assert (await http.get("/_switches")).json()["switches"] == asdict(Switches(retry_after_header=True))
    await running.stop()
