"""What a sender gets for a delivery, and what it did not cause."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from temporalio.client import Client

from clients.connections import Connection
from clients.errors import TryLater
from clients.store import Store
from ingress.app import make_app
from ingress.run import serving
from tests.ingress.conftest import LIMITS, Door, NoteTaker, new_session
from tests.ingress.deliveries import NOW, OLD_SECRET, SLUG, paid_intent, sample, snapshot, thin

PAID = paid_intent("pi_1")
INTENT = "payment_intent.succeeded"


def as_bytes(event: dict[str, Any]) -> bytes:
    """The event as Stripe writes it: indented."""
    return json.dumps(event, indent=2).encode()


async def test_a_paid_intent_reaches_its_run(door: Door, notes: NoteTaker) -> None:
    """A genuine event is answered 200, told to its payment's run, counted and noted."""
    answer = await door.deliver(PAID)
    assert (answer.status, await answer.json()) == (200, {"outcome": "accepted"})
    [(slug, payment_id, seen, hint)] = notes.told
    assert (slug, payment_id, hint) == (SLUG, "pi_1", "49.90 EUR")
    assert (seen.event_id, seen.type, seen.object_id) == ("evt_1", INTENT, "pi_1")
    assert seen.created == NOW
    assert await door.counted("accepted", type=INTENT) == 1
    [row] = await door.store.events.list(SLUG)
    assert (row.event_id, row.business_id, row.outcome) == ("evt_1", "pi_1", "accepted")


@pytest.mark.parametrize(
    "name", ["03.charge.succeeded", "04.payment_intent.succeeded", "05.checkout.session.completed"]
)
async def test_every_event_that_means_paid_goes_to_one_run(door: Door, notes: NoteTaker, name: str) -> None:
    """Charge, intent and session of one payment name the same run, under Stripe's own shapes."""
    assert (await door.deliver(as_bytes(sample(name)))).status == 200
    assert notes.told[0][1] == "pi_3SCN000000000000000001"


@pytest.mark.parametrize(
    ("event", "object_id"),
    [
        (snapshot("invoice.paid", {"id": "in_1"}), "in_1"),
        (snapshot("checkout.session.completed", {"id": "cs_1", "invoice": "in_2"}), "in_2"),
        (thin("v1.charge.succeeded", "ch_1", "charge"), "ch_1"),
        (thin("v1.checkout.session.completed", "cs_1", "checkout.session"), "cs_1"),
    ],
)
async def test_an_event_without_its_payment_is_resolved(
    door: Door, notes: NoteTaker, event: dict[str, Any], object_id: str
) -> None:
    """An event that does not name its payment goes to a resolver run with the object to ask about."""
    assert (await door.deliver(as_bytes(event))).status == 200
    assert [(told[1], told[2].object_id) for told in notes.told] == [("", object_id)]


async def test_a_secret_being_rolled_still_opens(door: Door, notes: NoteTaker) -> None:
    """Both active secrets are accepted."""
    assert (await door.deliver(PAID, secret=OLD_SECRET)).status == 200
    assert len(notes.told) == 1


async def test_an_unknown_type_is_ignored(door: Door, notes: NoteTaker) -> None:
    """A type that nobody listens to is answered 200, so that Stripe does not repeat it, counted, and kept as dead."""
    answer = await door.deliver(as_bytes(snapshot("customer.created", {"id": "cus_1"})))
    assert (answer.status, await answer.json()) == (200, {"outcome": "ignored-type"})
    assert await door.counted("ignored-type", type="other") == 1
    assert notes.told == []
    [row] = await door.store.events.dead(SLUG)
    assert (row.event_id, row.type, row.business_id, row.outcome) == (
        "evt_1", "customer.created", "cus_1", "ignored-type"
    )  # fmt: skip


async def test_a_session_without_payment_is_ignored(door: Door, notes: NoteTaker) -> None:
    """A session in mode setup has nothing to carry."""
    event = snapshot("checkout.session.completed", {"id": "cs_1", "mode": "setup"})
    answer = await door.deliver(as_bytes(event))
    assert (answer.status, await answer.json()) == (200, {"outcome": "ignored-no-payment"})
    assert notes.told == []


@pytest.mark.parametrize(
    ("type", "object_id"),
    [("refund.created", "re_1"), ("charge.refund.updated", "pyr_1"), ("charge.dispute.closed", "du_1")],
)
async def test_a_refund_and_a_dispute_go_to_their_own_run(
    door: Door, notes: NoteTaker, type: str, object_id: str
) -> None:
    """With the payment they belong to; the store finds the event by the refund or the dispute."""
    event = snapshot(type, {"id": object_id, "payment_intent": "pi_1", "charge": "ch_1"})
    assert await (await door.deliver(as_bytes(event))).json() == {"outcome": "accepted"}
    assert [(payment, seen.object_id, about) for _, payment, seen, about in notes.told] == [
        ("pi_1", object_id, object_id)
    ]
    assert len(await door.store.events.list(SLUG, business_id=object_id)) == 1


@pytest.mark.parametrize("type", ["payout.paid", "payout.reconciliation_completed", "payout.failed"])
async def test_a_payout_goes_to_its_own_run(door: Door, notes: NoteTaker, type: str) -> None:
    """It belongs to no payment; the store finds the event by the payout."""
    assert await (await door.deliver(as_bytes(snapshot(type, {"id": "po_1"})))).json() == {"outcome": "accepted"}
    assert [(payment, seen.type, about) for _, payment, seen, about in notes.told] == [("", type, "po_1")]
    assert len(await door.store.events.list(SLUG, business_id="po_1")) == 1
    notes.down = True
    assert (await door.deliver(as_bytes(snapshot(type, {"id": "po_2"})))).status == 503


async def test_the_credit_notes_id_in_a_refund_is_our_own_echo(door: Door, notes: NoteTaker) -> None:
    """What we wrote into its metadata tells us nothing."""
    event = snapshot("refund.updated", {"id": "re_1", "payment_intent": "pi_1"})
    event["data"]["previous_attributes"] = {"metadata": {"zoho_creditnote_id": None}}
    assert await (await door.deliver(as_bytes(event))).json() == {"outcome": "ignored-own"}
    assert notes.told == []


async def test_a_repeated_delivery_is_told_again_and_noted_once(door: Door, notes: NoteTaker) -> None:
    """The run decides what a repetition means; the store has one row."""
    await door.deliver(PAID)
    assert await (await door.deliver(PAID)).json() == {"outcome": "repeated"}
    assert len(notes.told) == 2
    assert len(await door.store.events.list(SLUG)) == 1


async def test_an_event_that_temporal_did_not_take_is_503(door: Door, notes: NoteTaker) -> None:
    """Nothing is acknowledged before Temporal has it; it is noted as refused until Stripe's next delivery heals it."""
    notes.down = True
    for _ in range(2):
        assert (await door.deliver(PAID)).status == 503
    assert [row.outcome for row in await door.store.events.dead(SLUG)] == ["refused-not-accepted"]
    notes.down = False
    assert await (await door.deliver(PAID)).json() == {"outcome": "accepted"}
    assert await door.counted("not-accepted", type=INTENT) == 2
    assert await door.store.events.dead(SLUG) == []
    notes.down = True
    assert (await door.deliver(PAID)).status == 503
    assert [row.outcome for row in await door.store.events.list(SLUG)] == ["accepted"]


@pytest.mark.parametrize(
    ("down", "status", "noted"),
    [(False, 200, "accepted"), (True, 503, "refused-not-accepted")],
    ids=["accepts", "refuses"],
)
async def test_events_that_say_the_same_share_a_start_that_waits(
    connections: dict[str, Connection],
    store: Store,
    notes: NoteTaker,
    temporal_client: Client,
    down: bool,
    status: int,
    noted: str,
) -> None:
    """Behind a busy Temporal charge, intent and session are one start; all three are answered as it ends."""
    names = ("03.charge.succeeded", "04.payment_intent.succeeded", "05.checkout.session.completed")
    notes.gate, notes.down = asyncio.Event(), down
    limits = replace(LIMITS, starts_at_once=1)
    app = make_app(connections, temporal_client, store, starter=notes, now=lambda: NOW, limits=limits)
    async with serving(app, "127.0.0.1", 0) as url, new_session() as session:
        door = Door(url, session, store, temporal_client)
        sent = [asyncio.create_task(door.deliver(PAID))]
        await notes.entered.wait()
        sent += [asyncio.create_task(door.deliver(as_bytes(sample(name)))) for name in names]
        while "throughline_webhook_in_flight 4.0" not in await door.metrics():
            await asyncio.sleep(0.01)
        notes.gate.set()
        assert [answer.status for answer in await asyncio.gather(*sent)] == [status] * 4
    assert [told[1] for told in notes.told] == ([] if down else ["pi_1", "pi_3SCN000000000000000001"])
    assert [row.outcome for row in await store.events.list(SLUG)] == [noted] * 4


async def test_an_event_that_changes_something_shares_no_start(
    connections: dict[str, Connection], store: Store, notes: NoteTaker, temporal_client: Client
) -> None:
    """`charge.updated` says paid as well, yet it tells more: it goes to the run by itself."""
    paid = sample("03.charge.succeeded")
    update = {**paid, "id": "evt_update", "type": "charge.updated"}
    update["data"] = {**paid["data"], "previous_attributes": {"shipping": None}}
    notes.gate = asyncio.Event()
    app = make_app(
        connections, temporal_client, store, starter=notes, now=lambda: NOW, limits=replace(LIMITS, starts_at_once=1)
    )
    async with serving(app, "127.0.0.1", 0) as url, new_session() as session:
        door = Door(url, session, store, temporal_client)
        sent = [asyncio.create_task(door.deliver(PAID))]
        await notes.entered.wait()
        sent += [asyncio.create_task(door.deliver(as_bytes(one))) for one in (paid, update)]
        while "throughline_webhook_in_flight 3.0" not in await door.metrics():
            await asyncio.sleep(0.01)
        notes.gate.set()
        assert [answer.status for answer in await asyncio.gather(*sent)] == [200] * 3
    assert sorted(told[1] for told in notes.told) == ["pi_1", *["pi_3SCN000000000000000001"] * 2]


@pytest.mark.parametrize(
    ("previous", "outcome"),
    [
        ({"metadata": {"zoho_salesorder_id": None}}, "ignored-own"),
        ({"metadata": {"zoho_salesorder_id": None, "tracking_number": "1"}}, "ignored-own"),
        ({"metadata": {"zoho_salesorder_id": None, "cart": "1"}}, "accepted"),
        ({"metadata": {"zoho_salesorder_id": None}, "shipping": None}, "accepted"),
    ],
)
async def test_our_own_echo_is_ignored(door: Door, notes: NoteTaker, previous: dict[str, Any], outcome: str) -> None:
    """Only where every changed key is one that we write."""
    paid = sample("03.charge.succeeded")
    update = {**paid, "type": "charge.updated", "data": {**paid["data"], "previous_attributes": previous}}
    assert await (await door.deliver(as_bytes(update))).json() == {"outcome": outcome}
    assert len(notes.told) == (outcome == "accepted")


class BrokenNotes:
    """A store of events that fails as told."""

    def __init__(self, failure: Exception | None) -> None:
        self.failure = failure

    async def saw(self, *_: Any, **__: Any) -> bool:
        """Never succeeds: raises, or never answers."""
        if self.failure is not None:
            raise self.failure
        await asyncio.Event().wait()
        return True


@pytest.mark.parametrize("failure", [TryLater("store", "disk full"), None], ids=["fails", "hangs"])
async def test_a_store_that_fails_costs_only_the_note(
    connections: dict[str, Connection],
    store: Store,
    notes: NoteTaker,
    temporal_client: Client,
    monkeypatch: pytest.MonkeyPatch,
    failure: Exception | None,
) -> None:
    """What Temporal has accepted is acknowledged, though the store cannot note it."""
    monkeypatch.setattr(store, "events", BrokenNotes(failure))
    limits = replace(LIMITS, remember_seconds=0.2)
    app = make_app(connections, temporal_client, store, starter=notes, now=lambda: NOW, limits=limits)
    async with serving(app, "127.0.0.1", 0) as url, new_session() as session:
        door = Door(url, session, store, temporal_client)
        assert (await door.deliver(PAID)).status == 200
        assert "throughline_webhook_unremembered_total 1.0" in await door.metrics()
