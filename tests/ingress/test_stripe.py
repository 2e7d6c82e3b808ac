"""What a sender gets for a delivery, and what it did not cause."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from temporalio.client import Client

from clients.connections import Connection
from clients.errors import TryLater
from clients.store import Store
from ingress.app import make_app
from ingress.run import serving
from tests.ingress.conftest import LIMITS, Door, NoteTaker, new_session
from tests.ingress.deliveries import ACCOUNT, NOW, OLD_SECRET, SLUG, paid_intent, sample, sign, snapshot, thin
from tests.ingress.test_events import JSON

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


REFUSED = {
    "another secret": ({"secret": "whsec_guess"}, 400, "forged"),
    "too old": ({"at": NOW - timedelta(seconds=301)}, 400, "stale"),
    "too new": ({"at": NOW + timedelta(seconds=61)}, 400, "from-the-future"),
    "gzip": ({"Content_Encoding": "gzip"}, 415, "encoded"),
    "deflate": ({"Content_Encoding": "deflate"}, 415, "encoded"),
}


@pytest.mark.parametrize(("how", "status", "reason"), REFUSED.values(), ids=REFUSED)
async def test_a_bad_delivery_is_refused_without_a_trace(
    door: Door, notes: NoteTaker, how: dict[str, Any], status: int, reason: str
) -> None:
    """Forged, stale or encoded: a status, a counter, and neither a run nor a note."""
    await refused(door, notes, PAID, status, reason, **how)


BODIES = {
    "no json": (b"hello", 400, "malformed"),
    "doubled key": (PAID.replace(b'"id"', b'"id": "evt_2", "id"', 1), 400, "doubled-key"),
    "deep": (b'{"a":' * 70 + b"1" + b"}" * 70, 400, "too-deep"),
    "no event": (b"[1]", 400, "no-event"),
    "another account": (paid_intent("pi_1", account="acct_2Other"), 403, "foreign-account"),
    "live mode": (paid_intent("pi_1", livemode=True), 403, "foreign-mode"),
    "large": (PAID + b" " * (256 * 1024), 413, "too-large"),
}


@pytest.mark.parametrize(("body", "status", "reason"), BODIES.values(), ids=BODIES)
async def test_a_bad_body_is_refused_without_a_trace(
    door: Door, notes: NoteTaker, body: bytes, status: int, reason: str
) -> None:
    """Signed or not, what is malformed, foreign or too large starts nothing."""
    await refused(door, notes, body, status, reason)


async def refused(door: Door, notes: NoteTaker, body: bytes, status: int, reason: str, **how: Any) -> None:
    """The delivery is answered `status` with an id alone, counted as `reason`, and left no trace."""
    answer = await door.deliver(body, **how)
    told = await answer.json()
    assert (answer.status, set(told), len(told["error"])) == (status, {"error"}, 16)
    assert await door.counted(reason) == 1
    assert notes.told == []
    assert await door.store.events.list(SLUG) == []


async def test_our_own_account_by_name_is_not_foreign(door: Door) -> None:
    """An event that names the account we know passes."""
    assert (await door.deliver(paid_intent("pi_1", account=ACCOUNT))).status == 200


async def test_a_test_event_at_a_live_door_is_refused(door: Door, notes: NoteTaker) -> None:
    """A connection in live mode takes no test event, and the other way round."""
    assert (await door.deliver(PAID, slug="live")).status == 403
    assert (await door.deliver(paid_intent("pi_1", livemode=True), slug="live")).status == 200
    assert [told[0] for told in notes.told] == ["live"]


@pytest.mark.parametrize("slug", ["nobody", "SHOP", "shop%2F..", "shop%00", "%E2%82%AC"])
async def test_an_unknown_connection_is_not_found(door: Door, notes: NoteTaker, slug: str) -> None:
    """No connection, no door, and the counter knows no names that strangers invent."""
    answer = await door.session.post(f"{door.url}/webhooks/stripe/{slug}", data=PAID)
    assert answer.status == 404
    assert notes.told == []
    assert 'connection="shop"' not in await door.metrics()
    assert slug not in await door.metrics()


async def test_missing_and_doubled_signatures_are_refused(door: Door, notes: NoteTaker) -> None:
    """Exactly one `Stripe-Signature` header is right."""
    url = f"{door.url}/webhooks/stripe/{SLUG}"
    twice = [("Stripe-Signature", sign(PAID)), ("Stripe-Signature", sign(PAID))]
    for headers, reason in (([], "unsigned"), (twice, "signed-twice")):
        async with door.session.post(url, data=PAID, headers=headers) as answer:
            assert answer.status == 400
        assert await door.counted(reason) == 1
    assert notes.told == []


async def test_a_gzip_bomb_is_not_unpacked(door: Door, notes: NoteTaker) -> None:
    """A small body that would become large is refused by its header."""
    bomb = gzip.compress(b"0" * 50_000_000)
    assert (await door.deliver(bomb, Content_Encoding="gzip", Stripe_Signature="t=1,v1=0")).status == 415
    assert notes.told == []


async def test_an_unknown_type_is_ignored(door: Door, notes: NoteTaker) -> None:
    """A type that nobody listens to is answered 200, so that Stripe does not repeat it, and counted."""
    answer = await door.deliver(as_bytes(snapshot("customer.created", {"id": "cus_1"})))
    assert (answer.status, await answer.json()) == (200, {"outcome": "ignored-type"})
    assert await door.counted("ignored-type", type="other") == 1
    assert notes.told == []
    assert await door.store.events.list(SLUG) == []


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
    """Nothing is acknowledged or noted before Temporal has it; Stripe's next delivery heals it."""
    notes.down = True
    assert (await door.deliver(PAID)).status == 503
    assert await door.store.events.list(SLUG) == []
    notes.down = False
    assert (await door.deliver(PAID)).status == 200
    assert await door.counted("not-accepted", type=INTENT) == 1


@pytest.mark.parametrize(("down", "status", "noted"), [(False, 200, 4), (True, 503, 0)], ids=["accepts", "refuses"])
async def test_events_that_say_the_same_share_a_start_that_waits(
    connections: dict[str, Connection],
    store: Store,
    notes: NoteTaker,
    temporal_client: Client,
    down: bool,
    status: int,
    noted: int,
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
    assert len(await store.events.list(SLUG)) == noted


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


async def test_an_unset_secret_means_closed(
    connections: dict[str, Connection], store: Store, notes: NoteTaker, temporal_client: Client
) -> None:
    """A connection without a webhook secret accepts nothing, not even the empty key's signature."""
    shop = connections[SLUG]
    bare = shop.model_copy(update={"stripe": shop.stripe.model_copy(update={"webhook_secrets": ()})})
    app = make_app({SLUG: bare}, temporal_client, store, starter=notes, now=lambda: NOW, limits=LIMITS)
    async with serving(app, "127.0.0.1", 0) as url, new_session() as session:
        assert (await Door(url, session, store, temporal_client).deliver(PAID, secret="")).status == 503
    assert notes.told == []


async def test_a_refusal_says_an_id_and_the_log_says_why(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    """The sender learns an id; the operator finds the reason under it; neither sees the body."""
    with caplog.at_level(logging.WARNING, "ingress"):
        answer = await door.deliver(PAID, secret="whsec_guess")
    error_id = (await answer.json())["error"]
    [line] = [record.getMessage() for record in caplog.records if error_id in record.getMessage()]
    assert line == f"refused shop: 400 forged, error id {error_id}"


async def test_a_slow_body_is_cut_off(door: Door, notes: NoteTaker) -> None:
    """A body that drips is answered 408 when its time is over, however lively it drips."""

    async def drip() -> AsyncIterator[bytes]:
        for byte in PAID:
            await asyncio.sleep(0.02)
            yield bytes([byte])

    async with door.session.post(f"{door.url}/webhooks/stripe/{SLUG}", data=drip()) as answer:
        assert answer.status == 408
    assert notes.told == []


async def test_a_body_of_unknown_length_is_bounded(door: Door, notes: NoteTaker) -> None:
    """A chunked body is refused as soon as it is too large."""

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(400):
            yield b" " * 1024

    async with door.session.post(f"{door.url}/webhooks/stripe/{SLUG}", data=endless()) as answer:
        assert answer.status == 413
    assert notes.told == []


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=400) | JSON.map(lambda value: json.dumps(value).encode()))
async def test_no_signed_body_makes_an_error(door: Door, body: bytes) -> None:
    """Whatever a genuine sender sends, the answer is a refusal and never a 500."""
    assert (await door.deliver(body)).status == 400


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    type=st.sampled_from([INTENT, "charge.succeeded", "invoice.paid", "v1.invoice.paid", "x"]),
    subject=st.dictionaries(st.sampled_from(["id", "payment_intent", "amount", "currency"]), JSON),
    envelope=st.dictionaries(st.sampled_from(["id", "account", "created", "object", "livemode"]), JSON),
)
async def test_no_signed_event_makes_an_error(
    door: Door, type: str, subject: dict[str, Any], envelope: dict[str, Any]
) -> None:
    """Fields of any kind in an event's places are understood, ignored or refused."""
    answer = await door.deliver(as_bytes(snapshot(type, subject, **envelope)))
    assert answer.status in (200, 400, 403)
