"""Disputes: what a bank takes, gives back or only asks."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.sandbox.stripe.conftest import Door, Inbox
from tests.sandbox.vendor.stripe_check import object_problems


async def disputed(door: Door, **given: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A payment of 39.98 EUR at an account in euro, and its dispute."""
    await door.post("/_seed", {"accounts": [{"id": "acct_eu", "key": "sk_eu", "default_currency": "eur"}]})
    paid = await door.pay(currency="eur", account="acct_eu")
    return paid, await door.post(f"/_charges/{paid['charge']}/dispute", given)


def dispute_events(inbox: Inbox) -> list[stripe.Event]:
    """What arrived about disputes."""
    return [event for event in inbox.events() if event.type.startswith("charge.dispute.")]


@pytest.fixture
async def inbox(door: Door, inbox: Inbox) -> Inbox:
    """The inbox of the account in euro, too."""
    await door.post("/_seed", {"accounts": [{"id": "acct_eu", "key": "sk_eu", "default_currency": "eur"}]})
    await door.post("/_endpoints", {"account": "acct_eu", "url": inbox.url, "secret": "whsec_tests"})
    return inbox


async def balances(door: Door, dispute: str) -> list[dict[str, Any]]:
    """The balance transactions of the dispute, oldest first."""
    rows = (await door.get("/_ledger"))["balance_transactions"]
    return [row for row in rows if row["source"] == dispute]


async def test_a_dispute_takes_the_money_and_a_fee(door: Door, inbox: Inbox) -> None:
    """Created, then withdrawn, each told as it was; the ledger shows both, shaped as Stripe's."""
    paid, dispute = await disputed(door, reason="product_not_received", due_by=1_900_000_000)
    assert (dispute["amount"], dispute["status"], dispute["charge"]) == (3998, "needs_response", paid["charge"])
    assert dispute["evidence_details"]["due_by"] == 1_900_000_000
    await inbox.until(lambda: len(dispute_events(inbox)) == 2)
    told = {event.type: event.data.object.to_dict() for event in dispute_events(inbox)}
    assert told["charge.dispute.created"]["balance_transactions"] == []
    (row,) = told["charge.dispute.funds_withdrawn"]["balance_transactions"]
    assert (row["amount"], row["fee"], row["net"], row["reporting_category"]) == (-3998, 1500, -5498, "dispute")
    ledger = await door.get("/_ledger")
    assert [charge["disputed"] for charge in ledger["charges"]] == [True]
    assert [row["id"] for row in ledger["disputes"]] == [dispute["id"]]
    assert object_problems([ledger["disputes"], ledger["balance_transactions"]]) == []


@pytest.mark.parametrize(("returned", "fees"), [(True, [1500, -1500]), (False, [1500, 0])])
async def test_a_won_dispute_gives_the_money_back(door: Door, inbox: Inbox, returned: bool, fees: list[int]) -> None:
    """With the fee, or without it as the switch says; told as reinstated and closed."""
    await door.switch(dispute_fee_returned=returned)
    _, dispute = await disputed(door)
    await door.post(f"/_disputes/{dispute['id']}/answer")
    closed = await door.post(f"/_disputes/{dispute['id']}/close", {"outcome": "won"})
    assert closed["status"] == "won"
    rows = await balances(door, dispute["id"])
    assert [(row["amount"], row["fee"]) for row in rows] == [(-3998, fees[0]), (3998, fees[1])]
    assert rows[1]["reporting_category"] == "dispute_reversal"
    assert object_problems([closed, rows]) == []
    await inbox.until(lambda: len(dispute_events(inbox)) == 5)
    names = ("created", "funds_withdrawn", "updated", "funds_reinstated", "closed")
    assert {event.type for event in dispute_events(inbox)} == {f"charge.dispute.{name}" for name in names}


async def test_a_lost_dispute_keeps_the_money(door: Door) -> None:
    """Nothing more moves, and it cannot be decided again."""
    _, dispute = await disputed(door)
    assert (await door.post(f"/_disputes/{dispute['id']}/close"))["status"] == "lost"
    assert len(await balances(door, dispute["id"])) == 1
    for path in ("close", "answer", "escalate"):
        assert (await door.raw("POST", f"/_disputes/{dispute['id']}/{path}", json={}))[0] == 400


async def test_an_inquiry_moves_no_money(door: Door) -> None:
    """A bank that only asks takes nothing; what is asked about can be refunded; it closes by itself."""
    paid, dispute = await disputed(door, inquiry=True)
    assert (dispute["status"], dispute["is_charge_refundable"]) == ("warning_needs_response", True)
    headers = {"Authorization": "Bearer sk_eu"}
    status, _ = await door.raw("POST", "/v1/refunds", data={"charge": paid["charge"], "amount": 100}, headers=headers)
    assert status == 200
    assert (await door.post(f"/_disputes/{dispute['id']}/close"))["status"] == "warning_closed"
    assert await balances(door, dispute["id"]) == []


async def test_an_inquiry_can_become_a_dispute(door: Door, inbox: Inbox) -> None:
    """The same dispute then takes the money."""
    paid, dispute = await disputed(door, inquiry=True)
    escalated = await door.post(f"/_disputes/{dispute['id']}/escalate")
    assert (escalated["status"], escalated["is_charge_refundable"]) == ("needs_response", False)
    assert [row["amount"] for row in await balances(door, dispute["id"])] == [-3998]
    await inbox.until(lambda: len(dispute_events(inbox)) == 3)
    assert (await door.get("/_ledger?only=charges"))["charges"][0]["disputed"] is True
    assert paid["charge"] == escalated["charge"]


async def test_a_disputed_charge_is_not_refunded(door: Door) -> None:
    """Refused with Stripe's code; a refund that was under way fails, so that the buyer is not paid twice."""
    await door.post("/_seed", {"accounts": [{"id": "acct_eu", "key": "sk_eu", "default_currency": "eur"}]})
    await door.switch(refund_after=None)
    paid, headers = await door.pay(currency="eur", account="acct_eu"), {"Authorization": "Bearer sk_eu"}
    given = {"charge": paid["charge"], "amount": 998}
    _, refund = await door.raw("POST", "/v1/refunds", data=given, headers=headers)
    dispute = await door.post(f"/_charges/{paid['charge']}/dispute")
    assert dispute["amount"] == 3000
    status, refusal = await door.raw("POST", "/v1/refunds", data=given, headers=headers)
    assert (status, refusal["error"]["code"]) == (400, "charge_disputed")
    (row,) = (await door.get("/_ledger?only=refunds"))["refunds"]
    assert (row["id"], row["status"]) == (refund["id"], "failed")
    assert row["failure_reason"] == "charge_for_pending_refund_disputed"


async def test_what_is_not_known_of_disputes_can_be_switched(door: Door, inbox: Inbox) -> None:
    """No fee, a refund that goes on, closing told first, refundable once won, and a charge marked by an inquiry."""
    await door.switch(
        dispute_fee=0, dispute_fails_refunds=False, dispute_closes_first=True, won_is_refundable=True,
        inquiry_marks_disputed=True, refund_after=None,
    )  # fmt: skip
    paid, headers = await door.pay(currency="eur", account="acct_eu"), {"Authorization": "Bearer sk_eu"}
    given = {"charge": paid["charge"], "amount": 998}
    await door.raw("POST", "/v1/refunds", data=given, headers=headers)
    asked = await door.post(f"/_charges/{paid['charge']}/dispute", {"inquiry": True})
    assert (await door.get("/_ledger?only=charges"))["charges"][0]["disputed"] is True
    await door.post(f"/_disputes/{asked['id']}/escalate")
    won = await door.post(f"/_disputes/{asked['id']}/close", {"outcome": "won"})
    assert [(row["amount"], row["fee_details"]) for row in await balances(door, won["id"])] == [(-3000, []), (3000, [])]
    assert (await door.get("/_ledger?only=refunds"))["refunds"][0]["status"] == "pending"
    assert (await door.raw("POST", "/v1/refunds", data=given, headers=headers))[0] == 200
    told = [event["type"] for event in reversed((await door.get("/_ledger?only=events"))["events"])]
    assert told.index("charge.dispute.funds_reinstated") < told.index("charge.dispute.closed")


async def test_disputes_are_read_by_the_official_sdk(door: Door, client: stripe.StripeClient) -> None:
    """By id, by charge and by payment; their metadata is written; `close` gives up."""
    paid = await door.pay()
    made = await door.post(f"/_charges/{paid['charge']}/dispute", {"amount": 500})
    read = await client.v1.disputes.retrieve_async(made["id"])
    assert (read.amount, read.payment_intent, len(read.balance_transactions)) == (500, paid["payment_intent"], 1)
    for by in ({"charge": paid["charge"]}, {"payment_intent": paid["payment_intent"]}):
        wanted: Any = by
        assert [row.id for row in (await client.v1.disputes.list_async(wanted)).data] == [made["id"]]
    await client.v1.disputes.update_async(made["id"], {"metadata": {"case": "1"}})
    assert (await client.v1.disputes.close_async(made["id"])).status == "lost"
    (row,) = (await door.get("/_ledger?only=disputes"))["disputes"]
    assert row["metadata"] == {"case": "1"}


@pytest.mark.parametrize(
    "given", [{"reason": "mood"}, {"amount": 0}, {"amount": 10**9}, {"amount": "1"}, {"surprise": 1}]
)
async def test_a_dispute_that_cannot_be_is_refused(door: Door, given: dict[str, Any]) -> None:
    """Nothing is opened for what no bank says, nor twice for one charge, nor for money that was not taken."""
    paid = await door.pay()
    assert (await door.raw("POST", f"/_charges/{paid['charge']}/dispute", json=given))[0] == 400
    held = await door.pay(capture="manual")
    assert (await door.raw("POST", f"/_charges/{held['charge']}/dispute", json={}))[0] == 400
    await door.post(f"/_charges/{paid['charge']}/dispute")
    assert (await door.raw("POST", f"/_charges/{paid['charge']}/dispute", json={}))[0] == 400
    assert len((await door.get("/_ledger?only=disputes"))["disputes"]) == 1
