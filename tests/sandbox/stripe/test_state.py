"""A Stripe with a state file goes on where it was."""

from __future__ import annotations

from pathlib import Path

import aiohttp
from aiohttp import web

from sandbox.serving import serve
from sandbox.stripe.app import make_app
from tests.sandbox.stripe.conftest import SECRET, Door, Inbox

WISH = {"via": "bare", "amount": 900}


async def test_everything_survives_a_restart(tmp_path: Path) -> None:
    """Objects, accounts, idempotent answers and endpoints are there again, and a late balance still comes."""
    state = tmp_path / "stripe.db"
    async with aiohttp.ClientSession() as session:
        running = await serve(make_app(state=state))
        door = Door(running.url, session)
        await door.post("/_seed", {"accounts": [{"id": "acct_two", "key": "sk_test_two"}]})
        await door.post("/_switches", {"balance_after": 0.2})
        await door.post("/_pay", {"lines": [{"sku": "A", "unit_amount": 1000}]})
        headers = {"Authorization": "Bearer sk_test_two", "Idempotency-Key": "k"}
        _, first = await door.raw("POST", "/v1/customers", data={"email": "a@example.com"}, headers=headers)
        before = await door.get("/_ledger")
        await running.stop()

        running = await serve(make_app(state=state))
        door = Door(running.url, session)
        after = await door.get("/_ledger")
        assert after["sessions"] == before["sessions"]
        assert after["accounts"] == before["accounts"]
        assert (await door.get("/_switches"))["balance_after"] == 0.2
        _, again = await door.raw("POST", "/v1/customers", data={"email": "a@example.com"}, headers=headers)
        assert again == first
        await door.post("/_clock", {"advance": 1})
        sessions = await door.raw(
            "GET",
            "/v1/checkout/sessions",
            params={"payment_intent": before["payment_intents"][0]["id"]},
            headers={"Authorization": "Bearer sk_test_sandbox"},
        )
        assert [row["id"] for row in sessions[1]["data"]] == [before["sessions"][0]["id"]]
        assert len((await door.get("/_ledger"))["balance_transactions"]) == 1
        await running.stop()


async def test_a_delivery_under_way_is_made_after_the_restart(tmp_path: Path) -> None:
    """An event nobody could take while its receiver was away arrives once both are back."""
    inbox, state = Inbox(), tmp_path / "stripe.db"
    async with aiohttp.ClientSession() as session:
        running = await serve(make_app(state=state))
        door = Door(running.url, session)
        await door.post("/_switches", {"webhook_delay": 3600, "balance_after": None})
        app = web.Application()
        app.router.add_post("/hooks", inbox.take)
        receiver = await serve(app)
        await door.post("/_endpoints", {"url": f"{receiver.url}/hooks", "secret": SECRET})
        await door.post("/_pay", WISH)
        await running.stop()
        assert inbox.received == []

        running = await serve(make_app(state=state))
        await Door(running.url, session).post("/_clock", {"advance": 3600})
        await inbox.until(lambda: len(inbox.received) == 3)
        assert sorted(inbox.types()) == ["charge.succeeded", "payment_intent.created", "payment_intent.succeeded"]
        await running.stop()
        await receiver.stop()


async def test_a_payout_under_way_arrives_after_the_restart(tmp_path: Path) -> None:
    """What was to happen to it happens; its rows stay its own."""
    state = tmp_path / "stripe.db"
    async with aiohttp.ClientSession() as session:
        running = await serve(make_app(state=state))
        door = Door(running.url, session)
        await door.post("/_switches", {"payout_after": 3600, "reconciled_after": 3600})
        await door.post("/_movements", {"amount": 900, "kind": "adjustment", "category": "other_adjustment"})
        made = await door.post("/_payouts")
        await running.stop()

        inbox, receiver = Inbox(), web.Application()
        receiver.router.add_post("/hooks", inbox.take)
        hooks = await serve(receiver)
        running = await serve(make_app(state=state))
        door = Door(running.url, session)
        await door.post("/_endpoints", {"url": f"{hooks.url}/hooks", "secret": SECRET})
        await door.post("/_clock", {"advance": 3600})
        await inbox.until(lambda: len(inbox.received) == 2)
        assert sorted(inbox.types()) == ["payout.paid", "payout.reconciliation_completed"]
        headers = {"Authorization": "Bearer sk_test_sandbox"}
        rows = await door.raw("GET", f"/v1/balance_transactions?payout={made['id']}", headers=headers)
        assert [row["net"] for row in rows[1]["data"]] == [-900, 900]
        await running.stop()
        await hooks.stop()
