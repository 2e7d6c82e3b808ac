"""Who is told of what waits: once for all, again after a while, and once when none is left."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from clients.store import Store, Turn
from tests.clients.store.conftest import AT

EVERY = timedelta(minutes=15)
DAY = timedelta(days=1)


async def turn(store: Store, shop: str, member: str, after: timedelta = timedelta(0), topic: str = "tax") -> Turn:
    """The member asks to speak, `after` the beginning."""
    return await store.notices.turn(shop, topic, member, at=AT + after, every=EVERY, stale=2 * DAY)


async def join(store: Store, shop: str, count: int, at: datetime = AT) -> list[str]:
    """So many wait."""
    names = [f"pi_{number}" for number in range(count)]
    for name in names:
        await store.notices.join(shop, "tax", name, at=at)
    return names


async def test_of_a_hundred_one_speaks_for_all(store: Store, shop: str) -> None:
    """All ask at the same moment: one turn, with the count of all; nobody has to ask again."""
    names = await join(store, shop, 100)
    turns = await asyncio.gather(*(turn(store, shop, name) for name in names))
    assert sorted(one.waiting for one in turns) == [0] * 99 + [100]
    assert {one.again for one in turns} == {None}


async def test_who_comes_a_moment_later_speaks_when_the_time_is_over(store: Store, shop: str) -> None:
    """It is told how long to wait; then it speaks, for itself and for those before it."""
    await join(store, shop, 2)
    assert (await turn(store, shop, "pi_0")).waiting == 2
    assert await turn(store, shop, "pi_9", timedelta(minutes=5)) == Turn(again=timedelta(minutes=10))
    assert await turn(store, shop, "pi_9", EVERY) == Turn(waiting=3)
    assert await turn(store, shop, "pi_0", EVERY + timedelta(minutes=1)) == Turn()


async def test_topics_and_shops_speak_for_themselves(store: Store, shop: str) -> None:
    """Another class, or another connection, has a turn of its own."""
    assert (await turn(store, shop, "pi_1")).waiting == 1
    assert (await turn(store, shop, "pi_2", topic="currency")).waiting == 1
    assert (await turn(store, f"{shop}-b", "pi_3")).waiting == 1


async def test_reminders_of_a_hundred_are_one(store: Store, shop: str) -> None:
    """A day later all ask again, one after the other within seconds."""
    names = await join(store, shop, 100)
    await turn(store, shop, names[0])
    turns = [await turn(store, shop, name, DAY + timedelta(seconds=place)) for place, name in enumerate(names)]
    assert [one.waiting for one in turns] == [100] + [0] * 99


async def test_words_that_did_not_arrive_are_said_again(store: Store, shop: str) -> None:
    """By the same member at once, or by whoever asks next."""
    await join(store, shop, 3)
    assert (await turn(store, shop, "pi_0")).waiting == 3
    await store.notices.unsaid(shop, "tax", "pi_0")
    assert (await turn(store, shop, "pi_0", timedelta(seconds=1))).waiting == 3
    for name in ("pi_0", "pi_1"):
        assert await store.notices.leave(shop, "tax", name) == 0
    assert await store.notices.leave(shop, "tax", "pi_2") == 3


async def test_the_last_of_those_people_know_of_resolves(store: Store, shop: str) -> None:
    """A hundred leave at once: one of them was the last, and says of how many."""
    names = await join(store, shop, 100)
    await turn(store, shop, names[0])
    left = await asyncio.gather(*(store.notices.leave(shop, "tax", name) for name in names))
    assert sorted(left) == [0] * 99 + [100]
    assert (await turn(store, shop, "pi_new", timedelta(minutes=1))).waiting == 1


async def test_who_was_never_told_of_resolves_nothing(store: Store, shop: str) -> None:
    """It left before anybody spoke; leaving twice says nothing twice."""
    await join(store, shop, 1)
    assert await store.notices.leave(shop, "tax", "pi_0") == 0
    await turn(store, shop, "pi_1")
    assert await store.notices.leave(shop, "tax", "pi_1") == 1
    assert await store.notices.leave(shop, "tax", "pi_1") == 0


async def test_a_leaving_that_nobody_heard_of_is_told_again(store: Store, shop: str) -> None:
    """The message did not arrive: the last one comes back and leaves once more."""
    await join(store, shop, 2)
    await turn(store, shop, "pi_0")
    assert await store.notices.leave(shop, "tax", "pi_0") == 0
    assert await store.notices.leave(shop, "tax", "pi_1") == 2
    await store.notices.come_back(shop, "tax", "pi_1", at=AT, told=2)
    assert await store.notices.leave(shop, "tax", "pi_1") == 2


async def test_a_run_that_was_ended_from_outside_is_forgotten(store: Store, shop: str) -> None:
    """Who has not been heard of for long is not counted, and keeps nobody from resolving."""
    await join(store, shop, 2)
    await turn(store, shop, "pi_0")
    assert (await turn(store, shop, "pi_0", 3 * DAY)).waiting == 1
    assert await store.notices.leave(shop, "tax", "pi_0") == 2
