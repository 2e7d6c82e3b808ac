"""Which events may share a start, and what each of them is told."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from itertools import product

import pytest

from clients.errors import TryLater
from ingress.turns import Turns

ARRIVALS: dict[str, str | None] = {"a": "a", "b": "b", "-": None}  # what an event says; None: nothing to share
ENDS = ("accept", "refuse")


@dataclass
class Sent:
    """A start on its way: whose it is, when it was sent, and how it will end."""

    by: int
    says: str | None
    at: int
    end: asyncio.Future[int]


@dataclass
class Desk:
    """Stands where Temporal would: every start stays open until it is told how it ends."""

    now: int = 0
    sent: list[Sent] = field(default_factory=list)

    async def start(self, by: int, says: str | None) -> int:
        """Answers its number among the starts, or TryLater with that number."""
        one = Sent(by, says, self.now, asyncio.get_running_loop().create_future())
        self.sent.append(one)
        return await one.end

    def end(self, how: str) -> bool:
        """Ends the oldest open start; False where none is open."""
        for number, one in enumerate(self.sent):
            if not one.end.done():
                if how == "accept":
                    one.end.set_result(number)
                else:
                    one.end.set_exception(TryLater(str(number), "refused"))
                return True
        return False


async def quiet() -> None:
    """Everything that can go on without the outside has gone on."""
    for _ in range(12):
        await asyncio.sleep(0)


async def play(story: tuple[str, ...], at_once: int) -> None:
    """Plays the story, lets all starts end, and checks what each event was told."""
    desk, turns = Desk(), Turns[int](at_once, patience=60)
    came: list[tuple[str | None, int, asyncio.Task[int]]] = []
    for desk.now, step in enumerate(story):
        if step in ARRIVALS:
            says = ARRIVALS[step]
            start = partial(desk.start, len(came), says)
            came.append((says, desk.now, asyncio.create_task(turns.take(start, says))))
        else:
            desk.end(step)
        await quiet()
        assert sum(not one.end.done() for one in desk.sent) <= at_once
    while desk.end("accept"):
        await quiet()
    for number, (says, at, told) in enumerate(came):
        assert told.done(), "an event was left without an answer"
        refused = told.exception()
        mine = desk.sent[int(str(refused).partition(":")[0]) if refused else told.result()]
        assert mine.says == says, "it was told the outcome of something else"
        assert mine.at >= at, "the start was on its way before the event was there"
        assert says is not None or mine.by == number, "an event that says nothing shared a start"


@pytest.mark.parametrize("at_once", [1, 2])
async def test_every_event_is_told_of_a_start_that_speaks_for_it(at_once: int) -> None:
    """All stories of five arrivals and ends: no start is shared after it was sent, or by an event that says more."""
    for story in product((*ARRIVALS, *ENDS), repeat=5):
        await play(story, at_once)


async def test_those_who_wait_and_say_the_same_are_one_start() -> None:
    """While one is under way, three more of its kind make one start together; a refusal is told to all three."""
    desk, turns = Desk(), Turns[int](1, patience=60)
    told = [asyncio.create_task(turns.take(partial(desk.start, number, "a"), "a")) for number in range(1)]
    await quiet()
    told += [asyncio.create_task(turns.take(partial(desk.start, number, "a"), "a")) for number in range(1, 4)]
    await quiet()
    assert [one.by for one in desk.sent] == [0]
    desk.end("accept")
    await quiet()
    desk.end("refuse")
    await quiet()
    assert [one.by for one in desk.sent] == [0, 1]
    assert told[0].result() == 0
    assert [isinstance(one.exception(), TryLater) for one in told[1:]] == [True, True, True]


async def test_a_sender_that_hangs_up_takes_nobody_with_it() -> None:
    """The first of those who share may be gone: the start is made for the others."""
    desk, turns = Desk(), Turns[int](1, patience=60)
    busy = asyncio.create_task(turns.take(partial(desk.start, 0, None)))
    await quiet()
    first, second = (asyncio.create_task(turns.take(partial(desk.start, n, "a"), "a")) for n in (1, 2))
    await quiet()
    first.cancel()
    await quiet()
    assert first.cancelled()
    desk.end("accept")
    await quiet()
    desk.end("accept")
    await quiet()
    assert (busy.result(), second.result(), len(desk.sent)) == (0, 1, 2)


async def test_waiting_for_a_turn_has_an_end() -> None:
    """Temporal that hangs costs a waiting event its patience and no more; its start is never made."""
    desk, turns = Desk(), Turns[int](1, patience=0.01)
    busy = asyncio.create_task(turns.take(partial(desk.start, 0, None)))
    await quiet()
    with pytest.raises(TryLater, match="no turn"):
        await turns.take(partial(desk.start, 1, "a"), "a")
    desk.end("accept")
    assert await busy == 0
    again = asyncio.create_task(turns.take(partial(desk.start, 2, "a"), "a"))
    await quiet()
    desk.end("accept")
    assert await again == 1
    assert [one.by for one in desk.sent] == [0, 2]
