"""Starts wait their turn: a few are under way, and whoever says the same meanwhile goes along with one that waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from clients.errors import TryLater

T = TypeVar("T")
Start = Callable[[], Awaitable[T]]


class Turns(Generic[T]):
    """At most `at_once` starts under way; the others wait in order, `patience` seconds at most.

    A start that still waits has told Temporal nothing. So an event that says the same may share it: what it knows
    was known before the start is sent, and the run it starts or wakes reads from Stripe later still. A start that
    has been sent is never shared. Whoever shares gets the outcome itself: accepted for all, or refused for all.
    """

    def __init__(self, at_once: int, patience: float) -> None:
        self._slots = asyncio.Semaphore(at_once)
        self._patience = patience
        self._waiting: dict[Hashable, asyncio.Task[T]] = {}

    async def take(self, start: Start[T], same: Hashable = None) -> T:
        """What `start` answered, or the waiting start of an event that says the `same`; None is never the same.

        TryLater where no turn came within the patience; besides, what `start` raises.
        """
        if same is None:
            return await self._in_turn(start)
        waiting = self._waiting.get(same)
        if waiting is None:
            waiting = asyncio.create_task(self._in_turn(start, same))
            self._waiting[same] = waiting
        return await asyncio.shield(waiting)

    async def _in_turn(self, start: Start[T], same: Hashable = None) -> T:
        try:
            await self._slot()
        finally:
            self._waiting.pop(same, None)
        try:
            return await start()
        finally:
            self._slots.release()

    async def _slot(self) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await self._slots.acquire()
        except TimeoutError:
            raise TryLater("temporal", f"no turn within {self._patience:g} s: too many starts are under way") from None
