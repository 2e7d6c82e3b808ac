"""What the door refuses: forged, stale, encoded, malformed, foreign, too large or too slow; nothing comes of it."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from temporalio.client import Client

from clients.connections import Connection
from clients.store import Store
from ingress.app import make_app
from ingress.run import serving
from tests.ingress.conftest import LIMITS, Door, NoteTaker, new_session
from tests.ingress.deliveries import ACCOUNT, NOW, SLUG, paid_intent, sign, snapshot
from tests.ingress.test_events import JSON
from tests.ingress.test_stripe import INTENT, PAID, as_bytes

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
