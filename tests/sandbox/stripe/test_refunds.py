"""Money that goes back: by request, later, and not at all."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.sandbox.stripe.conftest import Door, Inbox
from tests.sandbox.vendor.stripe_check import object_problems


async def refund(client: stripe.StripeClient, **params: Any) -> stripe.Refund:
    """A refund by the official SDK."""
    given: Any = params
    return await client.v1.refunds.create_async(given)


async def test_parts_of_a_payment_are_refunded_until_nothing_is_left(door: Door, client: stripe.StripeClient) -> None:
    """39.98 in 10.00 and the rest, each with its balance transaction; then there is nothing more to refund."""
    paid = await door.pay(currency="eur")
    first = await refund(client, payment_intent=paid["payment_intent"], amount=1000, metadata={"case": "1"})
    rest = await refund(client, charge=paid["charge"])
    assert [(one.amount, one.status) for one in (first, rest)] == [(1000, "succeeded"), (2998, "succeeded")]
    with pytest.raises(stripe.InvalidRequestError) as none_left:
        await refund(client, payment_intent=paid["payment_intent"])
    assert none_left.value.code == "charge_already_refunded"
    ledger = await door.get("/_ledger")
    (charge,) = ledger["charges"]
    assert (charge["amount_refunded"], charge["refunded"]) == (3998, True)
    moved = {row["source"]: row["net"] for row in ledger["balance_transactions"] if row["type"] == "refund"}
    assert moved.keys() == {first.id, rest.id}
    assert object_problems(ledger["refunds"]) == []
    listed = await client.v1.refunds.list_async({"payment_intent": paid["payment_intent"]})
    assert [one.id for one in listed.data] == [rest.id, first.id]


async def test_more_than_is_left_is_refused(door: Door, client: stripe.StripeClient) -> None:
    """Nothing moves for a refund above the rest, of nothing, or of money that was only authorised."""
    paid = await door.pay(currency="eur")
    await refund(client, charge=paid["charge"], amount=3000)
    for amount in (999, 0):
        with pytest.raises(stripe.InvalidRequestError):
            await refund(client, charge=paid["charge"], amount=amount)
    held = await door.pay(currency="eur", capture="manual")
    with pytest.raises(stripe.InvalidRequestError):
        await refund(client, payment_intent=held["payment_intent"])
    assert [row["amount"] for row in (await door.get("/_ledger"))["refunds"]] == [3000]


async def test_what_is_told_of_a_refund(door: Door, client: stripe.StripeClient, inbox: Inbox) -> None:
    """Made: `refund.created` and `charge.refunded`; changed: `refund.updated` with what changed."""
    paid = await door.pay(currency="eur")
    made = await refund(client, charge=paid["charge"], amount=1000)
    changes: Any = {"metadata": {"zoho_creditnote_id": "7"}}
    await client.v1.refunds.update_async(made.id, changes)
    await inbox.until(lambda: "refund.updated" in inbox.types())
    events = {event.type: event for event in inbox.events()}
    assert events["refund.created"].data.object["id"] == made.id
    assert events["charge.refunded"].data.to_dict()["previous_attributes"] == {"amount_refunded": 0}
    assert events["refund.updated"].data.to_dict()["previous_attributes"] == {"metadata": {"zoho_creditnote_id": None}}


async def test_a_refund_that_takes_its_time(door: Door, client: stripe.StripeClient, inbox: Inbox) -> None:
    """Pending until it is settled, when asked for or by the clock."""
    await door.switch(refund_after=None)
    paid = await door.pay(currency="eur")
    made = await refund(client, charge=paid["charge"], amount=1000)
    assert (made.status, made.pending_reason) == ("pending", "processing")
    settled = await door.post(f"/_refunds/{made.id}/settle")
    assert (settled["status"], "pending_reason" in settled) == ("succeeded", False)
    await door.switch(refund_after=86400)
    later = await refund(client, charge=paid["charge"], amount=500)
    await door.post("/_clock", {"advance": 86400})
    await inbox.until(lambda: inbox.types().count("refund.updated") == 2)
    assert (await client.v1.refunds.retrieve_async(later.id)).status == "succeeded"


@pytest.mark.parametrize("after", [0, None])
async def test_a_refund_that_fails_gives_the_money_back(
    door: Door, client: stripe.StripeClient, inbox: Inbox, after: float | None
) -> None:
    """Whether it had succeeded or was pending: it can be refunded again, and the balance is as before."""
    await door.switch(refund_after=after)
    paid = await door.pay(currency="eur")
    made = await refund(client, charge=paid["charge"])
    failed = await door.post(f"/_refunds/{made.id}/fail", {"reason": "lost_or_stolen_card"})
    assert (failed["status"], failed["failure_reason"]) == ("failed", "lost_or_stolen_card")
    ledger = await door.get("/_ledger")
    (charge,) = ledger["charges"]
    assert (charge["amount_refunded"], charge["refunded"]) == (0, False)
    moved = [row for row in ledger["balance_transactions"] if row["source"] == made.id]
    assert [row["reporting_category"] for row in moved] == ["refund", "refund_failure"]
    assert sum(row["net"] for row in moved) == 0
    assert failed["failure_balance_transaction"] == moved[1]["id"]
    assert object_problems([ledger["refunds"], moved]) == []
    await inbox.until(lambda: "refund.failed" in inbox.types())
    assert (await refund(client, charge=paid["charge"])).amount == paid["amount"]


async def test_a_refund_in_another_currency_converts_both_amounts(door: Door, client: stripe.StripeClient) -> None:
    """The balance transaction is in the account's own currency, with the rate."""
    paid = await door.pay(currency="gbp")
    made = await refund(client, charge=paid["charge"], amount=1000)
    row = next(row for row in (await door.get("/_ledger"))["balance_transactions"] if row["source"] == made.id)
    assert (row["currency"], row["amount"], row["exchange_rate"]) == ("usd", -1270, 1.27)


async def test_an_expanded_charge_shows_its_refunds(door: Door, client: stripe.StripeClient) -> None:
    """Newest first, and the balance transaction of each."""
    paid = await door.pay(currency="eur")
    made = [await refund(client, charge=paid["charge"], amount=amount) for amount in (100, 200)]
    wants: Any = {"expand": ["refunds.data.balance_transaction"]}
    charge = await client.v1.charges.retrieve_async(paid["charge"], wants)
    assert charge.refunds is not None
    assert [one.id for one in charge.refunds.data] == [made[1].id, made[0].id]
    assert isinstance(charge.refunds.data[0].balance_transaction, stripe.BalanceTransaction)


@pytest.mark.parametrize(("fails", "told"), [(False, "refund.updated"), (True, "refund.failed")])
async def test_a_cancelled_refund_is_told(
    door: Door, client: stripe.StripeClient, inbox: Inbox, fails: bool, told: str
) -> None:
    """As an update or as a failure: Stripe does not say which, so both can be tried."""
    await door.switch(refund_asks_buyer=True, refund_cancel_fails=fails)
    paid = await door.pay()
    made = await refund(client, charge=paid["charge"])
    await client.v1.refunds.cancel_async(made.id)
    await inbox.until(lambda: told in inbox.types())
    await inbox.until(lambda: "charge.refund.updated" in inbox.types())
    assert inbox.types().count("refund.updated") + inbox.types().count("refund.failed") == 1


async def test_a_refund_that_waits_for_the_buyer_can_be_taken_back(door: Door, client: stripe.StripeClient) -> None:
    """Only while it waits: the money is there again. Once the buyer has said where it is to go, it arrives."""
    await door.switch(refund_asks_buyer=True)
    paid = await door.pay()
    waiting = [await refund(client, charge=paid["charge"], amount=amount) for amount in (1000, 500)]
    assert [one.status for one in waiting] == ["requires_action"] * 2
    assert object_problems((await door.get("/_ledger"))["refunds"]) == []
    canceled = await client.v1.refunds.cancel_async(waiting[0].id)
    assert (canceled.status, canceled.failure_reason) == ("canceled", "merchant_request")
    assert canceled.failure_balance_transaction is not None
    assert (await door.post(f"/_refunds/{waiting[1].id}/settle"))["status"] == "succeeded"
    for one in waiting:
        with pytest.raises(stripe.InvalidRequestError):
            await client.v1.refunds.cancel_async(one.id)
    ledger = await door.get("/_ledger")
    assert [charge["amount_refunded"] for charge in ledger["charges"]] == [500]
    assert object_problems(ledger["refunds"]) == []


async def test_a_refund_may_fail_at_once_and_may_cost(door: Door, client: stripe.StripeClient) -> None:
    """The answer already says failed; the fee, where the switch takes one, is not given back with the money."""
    await door.switch(refund_fails=True, refund_fee=35)
    paid = await door.pay()
    made = await refund(client, charge=paid["charge"], amount=1000)
    assert (made.status, made.failure_reason) == ("failed", "declined")
    rows = [row for row in (await door.get("/_ledger"))["balance_transactions"] if row["source"] == made.id]
    assert [(row["amount"], row["fee"], row["net"]) for row in rows] == [(-1000, 35, -1035), (1000, 0, 1000)]
    assert object_problems(rows) == []


@pytest.mark.parametrize("fault", ["lost", "malformed", "drop", "server_error"])
async def test_a_refund_asked_for_twice_under_one_key_is_one(
    door: Door, client: stripe.StripeClient, fault: str
) -> None:
    """Whatever became of the first answer; other parameters under the same key are refused."""
    paid = await door.pay()
    await door.post("/_faults", {"fault": fault, "method": "POST", "path": "^/v1/refunds$"})
    params: Any = {"payment_intent": paid["payment_intent"], "amount": 1000}
    with pytest.raises(stripe.StripeError):
        await client.v1.refunds.create_async(params, {"idempotency_key": "k"})
    made = await client.v1.refunds.create_async(params, {"idempotency_key": "k"})
    with pytest.raises(stripe.IdempotencyError):
        await client.v1.refunds.create_async(params | {"amount": 999}, {"idempotency_key": "k"})
    assert [row["id"] for row in (await door.get("/_ledger"))["refunds"]] == [made.id]


@pytest.mark.parametrize("makes", [False, True])
async def test_a_held_payment_is_let_go(door: Door, client: stripe.StripeClient, inbox: Inbox, makes: bool) -> None:
    """Cancelling an uncaptured intent tells it, and no money has moved; one that was paid cannot be cancelled."""
    await door.switch(release_makes_refund=makes)
    held, paid = await door.pay(capture="manual"), await door.pay()
    gone = await client.v1.payment_intents.cancel_async(held["payment_intent"])
    assert gone.status == "canceled"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await client.v1.payment_intents.cancel_async(paid["payment_intent"])
    assert refused.value.code == "payment_intent_unexpected_state"
    await inbox.until(lambda: {"payment_intent.canceled", "charge.refunded"} <= set(inbox.types()))
    if makes:
        await inbox.until(lambda: "refund.created" in inbox.types())
    ledger = await door.get("/_ledger")
    assert [(row["charge"], row["balance_transaction"]) for row in ledger["refunds"]] == [
        (held["charge"], None)
    ] * makes
    assert {"refund.created", "refund.updated"} & set(inbox.types()) == ({"refund.created"} if makes else set())
    assert object_problems(ledger["refunds"]) == []
    assert held["charge"] not in {row["source"] for row in ledger["balance_transactions"]}
