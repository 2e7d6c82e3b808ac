"""Payouts: what they gather, when they are reconciled, and what comes back."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.sandbox.stripe.conftest import Door, Inbox
from tests.sandbox.vendor.stripe_check import object_problems

NEVER = {"payout_after": None, "reconciled_after": None}


async def paid(door: Door, **wish: Any) -> dict[str, Any]:
    """A payment of 39.98 whose balance transaction is there."""
    made = await door.pay(**wish)
    await door.post(f"/_charges/{made['charge']}/balance")
    return made


async def payout(door: Door, **given: Any) -> dict[str, Any]:
    """A payout of all there is, unless it is said otherwise."""
    return await door.post("/_payouts", {"pending_too": True, **given})


async def lines(client: stripe.StripeClient, payout_id: str) -> list[stripe.BalanceTransaction]:
    """The rows of a payout by the official SDK, two at a time."""
    page = await client.v1.balance_transactions.list_async({"payout": payout_id, "limit": 2})
    return [row async for row in page.auto_paging_iter()]


@pytest.fixture
async def door(door: Door) -> Door:
    """A Stripe where nothing happens by itself."""
    await door.switch(balance_after=None, **NEVER)
    return door


async def test_an_automatic_payout_gathers_every_row_once(door: Door, client: stripe.StripeClient) -> None:
    """Its rows, its own negative one included, sum to zero; without that one to what it pays; the next has new ones."""
    first = [await paid(door) for _ in range(3)]
    await door.post("/_refunds", {"charge": first[0]["charge"], "amount": 998})
    made = await payout(door)
    await door.post(f"/_payouts/{made['id']}/reconcile")
    rows = await lines(client, made["id"])
    assert [row.reporting_category for row in rows] == ["payout", "refund", "charge", "charge", "charge"]
    assert sum(row.net for row in rows) == 0
    assert sum(row.net for row in rows[1:]) == made["amount"]
    assert rows[0].id == made["balance_transaction"]
    assert {row.status for row in rows} == {"available"}
    await paid(door)
    second = await payout(door)
    await door.post(f"/_payouts/{second['id']}/reconcile")
    assert not {row.id for row in rows} & {row.id for row in await lines(client, second["id"])}
    ledger = await door.get("/_ledger?only=payouts,balance_transactions")
    assert object_problems([made, ledger["payouts"], ledger["balance_transactions"]]) == []


async def test_what_is_not_available_yet_waits_for_a_later_payout(door: Door) -> None:
    """A charge is available two days later."""
    await paid(door)
    assert (await door.raw("POST", "/_payouts", json={}))[0] == 400
    await door.post("/_clock", {"advance": 3 * 86400})
    assert (await payout(door, pending_too=False))["amount"] == 3998 - 146


async def test_a_payout_arrives_and_is_reconciled_by_itself(door: Door, inbox: Inbox) -> None:
    """Created, paid and reconciled are told, in the order that the switches set."""
    await door.switch(payout_after=0.3, reconciled_after=0.0)
    await paid(door)
    made = await payout(door)
    assert (made["status"], made["reconciliation_status"]) == ("pending", "in_progress")
    assert made["trace_id"]["value"] is None

    def told() -> list[str]:
        return [name for name in inbox.types() if name.startswith("payout.")]

    await inbox.until(lambda: len(told()) == 3)
    assert set(told()) == {"payout.created", "payout.reconciliation_completed", "payout.paid"}
    (row,) = (await door.get("/_ledger?only=payouts"))["payouts"]
    assert (row["status"], row["reconciliation_status"]) == ("paid", "completed")
    assert row["trace_id"]["value"]


@pytest.mark.parametrize("early", [False, True])
async def test_lines_are_listed_once_it_is_reconciled(door: Door, client: stripe.StripeClient, early: bool) -> None:
    """Before, Stripe's own code says that it is not ready; a switch lists them all the same."""
    await door.switch(payout_lists_early=early)
    await paid(door)
    made = await payout(door)
    if early:
        assert len(await lines(client, made["id"])) == 2
        return
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        await lines(client, made["id"])
    assert refusal.value.code == "payout_reconciliation_not_ready"


@pytest.mark.parametrize(("kind", "method", "fee"), [("manual", "standard", 0), ("instant", "instant", 20)])
async def test_a_manual_payout_names_no_rows(
    door: Door, client: stripe.StripeClient, kind: str, method: str, fee: int
) -> None:
    """It takes an amount off the balance, an instant one for a fee, and the next automatic one has the rest."""
    await paid(door)
    made = await payout(door, kind=kind, amount=2000)
    assert (made["automatic"], made["method"], made["reconciliation_status"]) == (False, method, "not_applicable")
    with pytest.raises(stripe.InvalidRequestError, match="only be filtered on automatic"):
        await lines(client, made["id"])
    own = await client.v1.balance_transactions.retrieve_async(made["balance_transaction"])
    assert (own.amount, own.fee, own.net) == (-2000, fee, -2000 - fee)
    assert (await payout(door))["amount"] == 3998 - 146 - 2000 - fee
    assert (await door.raw("POST", "/_payouts", json={"kind": kind, "amount": 1}))[0] == 400
    assert (await door.raw("POST", f"/_payouts/{made['id']}/reconcile", json={}))[0] == 400


async def test_a_negative_balance_is_taken_from_the_bank(door: Door) -> None:
    """More went back than came in: the payout is below zero and its own row above."""
    made = await paid(door)
    await payout(door)
    await door.post("/_refunds", {"charge": made["charge"]})
    negative = await payout(door)
    assert negative["amount"] == -3998
    rows = (await door.get("/_ledger?only=balance_transactions"))["balance_transactions"]
    assert [row["net"] for row in rows if row["source"] == negative["id"]] == [3998]


@pytest.mark.parametrize("arrived", [True, False])
async def test_a_payout_that_fails_gives_the_money_back(door: Door, inbox: Inbox, arrived: bool) -> None:
    """Also after it was paid: a row of its own returns the money, and the next payout has it."""
    await paid(door)
    made = await payout(door)
    if arrived:
        await door.post(f"/_payouts/{made['id']}/pay")
    failed = await door.post(f"/_payouts/{made['id']}/fail", {"code": "no_account"})
    assert (failed["status"], failed["failure_code"]) == ("failed", "no_account")
    rows = (await door.get("/_ledger?only=balance_transactions"))["balance_transactions"]
    (back,) = [row for row in rows if row["id"] == failed["failure_balance_transaction"]]
    assert (back["net"], back["type"], back["reporting_category"]) == (
        made["amount"], "payout_failure", "payout_reversal"
    )  # fmt: skip
    assert (await payout(door))["amount"] == made["amount"]
    await inbox.until(lambda: "payout.failed" in inbox.types())
    for path in ("fail", "pay"):
        assert (await door.raw("POST", f"/_payouts/{made['id']}/{path}", json={}))[0] == 400
    assert object_problems([failed, rows]) == []


async def test_a_payment_in_another_currency_is_settled_at_a_rate(door: Door, client: stripe.StripeClient) -> None:
    """The row is in the account's currency and says the rate; the fee with its tax, part by part."""
    await door.switch(fee_tax_percent=20.0)
    await paid(door, currency="eur")
    made = await payout(door)
    await door.post(f"/_payouts/{made['id']}/reconcile")
    row = (await lines(client, made["id"]))[1]
    assert (made["currency"], row.currency, row.exchange_rate, row.amount) == ("usd", "usd", 1.1, 4398)
    assert [(part.type, part.amount) for part in row.fee_details] == [("stripe_fee", 158), ("tax", 32)]
    assert row.net == row.amount - 190


async def test_other_movements_are_rows_of_a_payout(door: Door, client: stripe.StripeClient) -> None:
    """Radar's fee, a correction, a reserve, a category that nobody knows, each as it was booked."""
    await paid(door)
    wishes = [
        {"amount": -250, "kind": "stripe_fee", "category": "fee", "description": "Radar"},
        {"amount": -50, "kind": "tax_fee", "category": "tax"},
        {"amount": 12, "kind": "adjustment", "category": "other_adjustment", "fee": 3, "tax": 1},
        {"amount": -500, "kind": "reserve_hold", "category": "risk_reserved_funds"},
        {"amount": 7, "kind": "adjustment", "category": "moon_dust"},
    ]
    made = [await door.post("/_movements", wish) for wish in wishes]
    assert object_problems(made) == []
    assert [part["type"] for part in made[2]["fee_details"]] == ["stripe_fee", "tax"]
    out = await payout(door)
    await door.post(f"/_payouts/{out['id']}/reconcile")
    rows = await lines(client, out["id"])
    assert [row.reporting_category for row in rows[1:6]] == [wish["category"] for wish in reversed(wishes)]
    assert sum(row.net for row in rows) == 0
    assert (await door.raw("POST", "/_movements", json={"amount": 1.5, "kind": "fee", "category": "fee"}))[0] == 400
    assert (await door.raw("POST", "/_movements", json={"amount": 1}))[0] == 400


async def test_payouts_are_listed_by_the_official_sdk(door: Door, client: stripe.StripeClient) -> None:
    """Newest first, by status and by time; none of another's."""
    await paid(door)
    first = await payout(door)
    await door.post(f"/_payouts/{first['id']}/pay")
    await paid(door)
    second = await payout(door)
    assert (await client.v1.payouts.retrieve_async(first["id"])).status == "paid"
    listed = client.v1.payouts.list_async
    assert [row.id for row in (await listed({})).data] == [second["id"], first["id"]]
    assert [row.id for row in (await listed({"status": "paid"})).data] == [first["id"]]
    assert [row.id for row in (await listed({"arrival_date": {"gt": second["arrival_date"]}})).data] == []
    with pytest.raises(stripe.InvalidRequestError):
        await client.v1.balance_transactions.list_async({"payout": "po_nowhere"})


@pytest.mark.parametrize(
    "given", [{"kind": "wish"}, {"amount": 5}, {"kind": "manual"}, {"kind": "manual", "amount": 0}, {"surprise": 1}]
)
async def test_a_payout_that_cannot_be_is_refused(door: Door, given: dict[str, Any]) -> None:
    """Nothing is made of it."""
    await paid(door)
    assert (await door.raw("POST", "/_payouts", json={"pending_too": True, **given}))[0] == 400
    assert (await door.get("/_ledger?only=payouts"))["payouts"] == []
