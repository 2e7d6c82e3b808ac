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


async def test_links_are_found_by_what_they_say(store: Store, shop: str) -> None:
    """Every key of a value; those of other kinds and shops are others."""
    for kind, key in (("contact", "ada"), ("contact", "ada@work"), ("item", "MUG")):
        await store.links.put(shop, kind, key, "77", at=AT)
    await store.links.put(f"{shop}-b", "contact", "grace", "77", at=AT)
    found = await store.links.keys_of(shop, "contact", ["77", "78"])
    assert sorted(found) == [("ada", "77"), ("ada@work", "77")]
    assert await store.links.keys_of(shop, "contact", []) == []


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


async def test_a_refused_event_is_refused_until_it_is_taken(store: Store, shop: str) -> None:
    """The refusal that is noted gives way to what comes of it later; what was taken is refused no more."""

    async def came(outcome: str) -> bool:
        return await store.events.saw(shop, "evt_1", type="t", business_id="pi_1", outcome=outcome, at=AT)

    assert await came("refused-not-accepted")
    assert [row.event_id for row in await store.events.dead(shop)] == ["evt_1"]
    assert [await came("accepted"), await came("refused-not-accepted"), await came("accepted")] == [True, False, False]
    assert await store.events.dead(shop) == []
    await store.events.heal(shop, "evt_1", type="t", business_id="pi_1", outcome="healed-no-run", at=AT)
    assert [row.outcome for row in await store.events.healed(shop)] == ["healed-no-run"]
    assert await store.events.outcomes(shop, ["evt_1", "evt_2"]) == {"evt_1": "healed-no-run"}
    assert await store.events.tally(shop, AT) == {"healed-no-run": 1}
    assert await store.events.tally(shop, AT + timedelta(seconds=1)) == {}


async def test_events_that_were_taken_are_read_page_by_page(store: Store, shop: str) -> None:
    """Oldest first, many of one moment too, none twice and none left out; what became nothing is not among them."""
    for number in range(7):
        await saw(store, shop, f"evt_{number}", after=number // 3)
    await store.events.saw(shop, "evt_x", type="t", business_id="", outcome="ignored-type", at=AT)
    seen: list[str] = []
    since, after = AT, ""
    while rows := await store.events.taken(shop, since, AT + timedelta(seconds=2), after=after, limit=2):
        seen += [row.event_id for row in rows]
        since, after = rows[-1].at, rows[-1].event_id
    assert seen == [f"evt_{number}" for number in range(6)]  # the seventh came when the time was over


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


async def test_the_stalest_links_come_first(store: Store, shop: str) -> None:
    """Those whose mark is the oldest, or that were made first and have none; not those made too long ago."""
    for number in range(5):
        await store.links.put(shop, "order", f"so-{number}", f"pi_{number}", at=AT + timedelta(hours=number))
    await store.links.put(shop, "looked", "so-1", "", at=AT + timedelta(hours=9))
    await store.links.put(shop, "looked", "so-3", "", at=AT + timedelta(hours=1, minutes=30))
    await store.links.put(f"{shop}-b", "looked", "so-2", "", at=AT + timedelta(days=9))
    drawn = await store.links.stalest(shop, "order", marks="looked", since=AT + timedelta(hours=1), count=3)
    assert drawn == [("so-3", "pi_3"), ("so-2", "pi_2"), ("so-4", "pi_4")]
    assert await store.links.stalest(shop, "order", marks="looked", since=AT, count=0) == []
