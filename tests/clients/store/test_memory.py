"""Links, events and dossiers: remembered, found, forgotten."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from clients.keys import Tampered
from clients.store import SeenEvent, Store
from tests.clients.store.conftest import AT, run_sql


async def test_a_link_is_replaced_and_forgotten(store: Store, shop: str) -> None:
    """The last value counts; after forgetting there is none."""
    await store.links.put(shop, "contact", "key", "100", at=AT)
    await store.links.put(shop, "contact", "key", "200", at=AT)
    assert await store.links.get(shop, "contact", "key") == "200"
    assert await store.links.get(f"{shop}-b", "contact", "key") is None
    assert await store.links.get(shop, "item", "key") is None
    await store.links.forget(shop, "contact", "key")
    assert await store.links.get(shop, "contact", "key") is None


async def test_many_links_are_read_at_once(store: Store, shop: str) -> None:
    """Only those that are known come back; asking for none is no error."""
    for sku in ("A", "B"):
        await store.links.put(shop, "item", sku, f"id-{sku}", at=AT)
    assert await store.links.get_many(shop, "item", ["A", "B", "C"]) == {"A": "id-A", "B": "id-B"}
    assert await store.links.get_many(shop, "item", []) == {}


async def saw(store: Store, shop: str, event_id: str, business_id: str = "pi_1", after: int = 0) -> bool:
    """One event, `after` seconds later."""
    return await store.events.saw(
        shop,
        event_id,
        type="payment_intent.succeeded",
        business_id=business_id,
        outcome="started",
        at=AT + timedelta(seconds=after),
    )


async def test_an_event_is_new_once(store: Store, shop: str) -> None:
    """True the first time, False ever after, for each connection alone."""
    assert [await saw(store, shop, "evt_1"), await saw(store, shop, "evt_1")] == [True, False]
    assert await saw(store, f"{shop}-b", "evt_1")


async def test_events_at_the_same_moment_are_each_new_once(store: Store, shop: str) -> None:
    """600 calls for 200 events, all at once: 200 are new, in few commits."""
    answers = await asyncio.gather(*(saw(store, shop, f"evt_{number % 200}") for number in range(600)))
    assert sum(answers) == 200
    assert all(answers[:200])
    assert len(await store.events.list(shop, limit=1000)) == 200


async def test_a_refused_batch_fails_its_callers_and_not_the_next(store: Store, shop: str) -> None:
    """A call that cannot be written raises; the drawer goes on working."""
    with pytest.raises(Exception, match="aware, never naive"):
        await store.events.saw(shop, "evt_1", type="t", business_id="", outcome="o", at=AT.replace(tzinfo=None))
    assert await saw(store, shop, "evt_1")


async def test_events_are_listed_newest_first(store: Store, shop: str) -> None:
    """All of them or those of one business id, as they were seen."""
    for number, business_id in enumerate(("pi_1", "pi_2", "pi_1")):
        await saw(store, shop, f"evt_{number}", business_id, after=number)
    assert [event.event_id for event in await store.events.list(shop)] == ["evt_2", "evt_1", "evt_0"]
    assert [event.event_id for event in await store.events.list(shop, limit=1)] == ["evt_2"]
    assert await store.events.list(shop, business_id="pi_2") == [
        SeenEvent("evt_1", "payment_intent.succeeded", "pi_2", "started", AT + timedelta(seconds=1))
    ]


async def test_a_dossier_is_kept_replaced_and_forgotten(store: Store, shop: str) -> None:
    """Parts of a payment come back byte by byte until it is forgotten, all parts at once."""
    ref = await store.dossiers.put(shop, "pi_1", "facts", b"Ada Lovelace", at=AT)
    await store.dossiers.put(shop, "pi_1", "draft", b"\x00\xff", at=AT)
    await store.dossiers.put(shop, "pi_2", "facts", b"other", at=AT)
    assert await store.dossiers.get(shop, "pi_1", "facts") == b"Ada Lovelace"
    assert await store.dossiers.get(shop, "pi_1", "draft") == b"\x00\xff"
    assert await store.dossiers.put(shop, "pi_1", "facts", b"Ada King", at=AT) != ref
    assert await store.dossiers.put(shop, "pi_1", "facts", b"Ada Lovelace", at=AT) == ref
    await store.dossiers.forget(shop, "pi_1")
    assert await store.dossiers.get(shop, "pi_1", "facts") is None
    assert await store.dossiers.get(shop, "pi_1", "draft") is None
    assert await store.dossiers.get(shop, "pi_2", "facts") == b"other"


async def test_a_dossier_moved_to_another_payment_is_not_readable(store: Store, url: str, shop: str) -> None:
    """The ciphertext is bound to connection, payment and part."""
    await store.dossiers.put(shop, "pi_1", "facts", b"Ada", at=AT)
    await run_sql(url, "UPDATE dossiers SET payment_id = 'pi_9' WHERE connection = :shop", shop=shop)
    with pytest.raises(Tampered):
        await store.dossiers.get(shop, "pi_9", "facts")
