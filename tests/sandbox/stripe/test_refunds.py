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
