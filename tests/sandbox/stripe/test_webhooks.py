"""How events reach their endpoints: signed, again after a refusal, doubled or lost as the switches say."""

from __future__ import annotations

import json

import pytest
import stripe

from sandbox.stripe.webhooks import signature
from tests.sandbox.stripe.conftest import SECRET, Door, Inbox

PAID = ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"]


def test_the_signature_is_the_sdks_own() -> None:
    """The header equals what the official SDK computes for the same body, secret and second."""
    body = '{"id":"evt_1"}'
    expected = stripe.WebhookSignature.generate_signature_header(body, SECRET, 1_700_000_000)
    assert signature(body.encode(), SECRET, 1_700_000_000) == expected


async def test_a_checkout_payment_tells_what_stripe_tells(door: Door, inbox: Inbox) -> None:
    """One payment sends its usual events in the pinned version, and three of them mean paid."""
    await door.switch(balance_after=0)
    await door.pay()
    await inbox.until(lambda: "charge.updated" in inbox.types())
    sent = [event for event in inbox.events() if not event.type.startswith(("product", "price"))]
    assert sorted(event.type for event in sent) == sorted([*PAID, "charge.updated"])
    assert {event.api_version for event in sent} == {"2026-10-28.endive"}
    succeeded = next(event for event in sent if event.type == "charge.succeeded")
    assert succeeded.data.object["balance_transaction"] is None


async def test_an_endpoint_gets_only_what_it_asked_for(door: Door, client: stripe.StripeClient, inbox: Inbox) -> None:
    """`enabled_events` filters, the secret is told once, and a deleted endpoint gets nothing."""
    made = await client.v1.webhook_endpoints.create_async(
        {"url": inbox.url, "enabled_events": ["payment_intent.succeeded"], "api_version": "2026-10-28.endive"}
    )
    assert made.secret is not None
    read = await client.v1.webhook_endpoints.retrieve_async(made.id)
    assert "secret" not in read.to_dict()
    await door.pay()
    rows = (await door.get("/_deliveries"))["deliveries"]
    assert [row["type"] for row in rows if row["endpoint"] == made.id] == ["payment_intent.succeeded"]
    await client.v1.webhook_endpoints.delete_async(made.id)
    await door.pay()
    rows = (await door.get("/_deliveries"))["deliveries"]
    assert len([row for row in rows if row["endpoint"] == made.id]) == 1


async def test_a_refused_delivery_is_tried_again_with_a_new_signature(
    door: Door, client: stripe.StripeClient, inbox: Inbox
) -> None:
    """The same event comes again, signed anew, and every attempt is kept with its status."""
    await door.switch(webhook_retry_after=1.1, balance_after=None)
    inbox.refuse_next = 1
    await door.pay(via="bare", lines=None, amount=900)
    await inbox.until(lambda: len(inbox.received) == 4)
    first = json.loads(inbox.received[0][1])["id"]
    again = [mark for mark, body in inbox.received if json.loads(body)["id"] == first]
    assert len(set(again)) == 2
    attempts = (await door.get("/_deliveries"))["attempts"]
    assert next(row["status"] for row in attempts if row["event"] == first) == 503


async def test_a_delivery_that_is_never_taken_fails_and_is_found(
    door: Door, client: stripe.StripeClient, inbox: Inbox
) -> None:
    """After the last attempt the event is listed by delivery_success=false; a resend heals it."""
    await door.switch(webhook_retries=1, webhook_retry_after=0, balance_after=None)
    inbox.refuse_next = 6
    await door.pay(via="bare", lines=None, amount=900)
    await inbox.until(lambda: len(inbox.received) == 6)
    failed = await client.v1.events.list_async({"delivery_success": False})
    assert len(failed.data) == 3
    answer = await door.post(f"/_events/{failed.data[0].id}/resend")
    assert answer == {"resent": 1}
    await inbox.until(lambda: len(inbox.received) == 7)


async def test_lost_events_are_in_the_list_alone(door: Door, client: stripe.StripeClient, inbox: Inbox) -> None:
    """An event that is never sent is still told by the API as not delivered."""
    await door.switch(webhook_loss=1.0, balance_after=None)
    await door.pay(via="bare", lines=None, amount=900)
    assert inbox.received == []
    rows = (await door.get("/_deliveries"))["deliveries"]
    assert {row["state"] for row in rows} == {"lost"}
    assert len((await client.v1.events.list_async({"delivery_success": False})).data) == 3
    assert (await client.v1.events.list_async({"delivery_success": True})).data == []


async def test_events_come_twice_and_changes_are_told_by_two(door: Door, inbox: Inbox) -> None:
    """A duplicate has the same id; a twin tells the same change under another."""
    await door.switch(webhook_duplicate=1.0, webhook_twin=1.0, balance_after=None)
    await door.pay(via="bare", lines=None, amount=900)
    await inbox.until(lambda: len(inbox.received) == 12)
    created = [event.id for event in inbox.events() if event.type == "payment_intent.created"]
    assert (len(created), len(set(created))) == (4, 2)


async def test_deliveries_overtake_each_other(door: Door, inbox: Inbox) -> None:
    """With a spread the order of arrival is not the order of the events, and none is missing."""
    await door.switch(webhook_spread=0.2, balance_after=None)
    for _ in range(5):
        await door.pay(via="bare", lines=None, amount=900)
    await inbox.until(lambda: len(inbox.received) == 15)
    made = [event["id"] for event in (await door.get("/_ledger"))["events"]]
    arrived = [event.id for event in inbox.events()]
    assert sorted(arrived) == sorted(made)
    assert arrived != made


async def test_a_thin_endpoint_gets_notifications_the_sdk_reads(
    door: Door, client: stripe.StripeClient, inbox: Inbox
) -> None:
    """A thin event names its object; the event read by its id names the snapshot that tells the same."""
    await door.post("/_endpoints", {"url": inbox.url, "secret": SECRET, "payload": "thin"})
    paid = await door.pay(via="bare", lines=None, amount=900)
    kind = "v1.payment_intent.succeeded"
    await inbox.until(lambda: any(json.loads(body)["type"] == kind for _, body in inbox.received))
    mark, body = next(row for row in inbox.received if json.loads(row[1])["type"] == kind)
    note = client.parse_event_notification(body, mark, SECRET)
    assert isinstance(note, stripe.events.V1PaymentIntentSucceededEventNotification)
    assert note.related_object.id == paid["payment_intent"]
    headers = {"Authorization": "Bearer sk_test_sandbox"}
    _, event = await door.raw("GET", f"/v2/core/events/{note.id}", headers=headers)
    twin = await client.v1.events.retrieve_async(event["snapshot_event"])
    assert twin.type == "payment_intent.succeeded"


async def test_a_tampered_body_is_not_verified(door: Door, inbox: Inbox) -> None:
    """The signature covers the raw bytes: one changed byte is refused by the official SDK."""
    await door.pay(via="bare", lines=None, amount=900)
    await inbox.until(lambda: len(inbox.received) >= 1)
    mark, body = inbox.received[0]
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body.replace(b"900", b"901"), mark, SECRET)


async def test_a_seed_decides_what_is_lost(door: Door, inbox: Inbox) -> None:
    """The same seed, the same payments: the same events are lost; another seed loses others."""

    async def lost(seed: int) -> list[bool]:
        before = len((await door.get("/_deliveries"))["deliveries"])
        await door.switch(webhook_loss=0.5, webhook_seed=seed, balance_after=None)
        for _ in range(8):
            await door.pay(via="bare", lines=None, amount=900)
        return [row["state"] == "lost" for row in (await door.get("/_deliveries"))["deliveries"][before:]]

    first, again, other = [await lost(seed) for seed in (7, 7, 42)]
    assert first == again != other
    assert {True, False} == set(first)
