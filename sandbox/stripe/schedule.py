"""The sandbox's clock, which can be put forward, and what is to happen at a time on it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass
class _Timer:
    due: float
    call: Callable[[], None]
    handle: asyncio.TimerHandle | None = None


class Schedule:
    """Runs calls when they are due; `advance` brings the future nearer."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._timers: dict[int, _Timer] = {}
        self._next = 0

    def now(self) -> float:
        """Seconds since the epoch, by this clock."""
        return time.time() + self._offset

    def second(self) -> int:
        """The same in whole seconds, as Stripe writes times."""
        return int(self.now())

    def iso(self) -> str:
        """The same as version 2 of Stripe's API writes times."""
        text = datetime.fromtimestamp(self.now(), UTC).isoformat(timespec="milliseconds")
        return text.replace("+00:00", "Z")

    def at(self, due: float, call: Callable[[], None]) -> None:
        """Calls `call` once when this clock shows `due` (soon, where that has passed)."""
        number, self._next = self._next, self._next + 1
        self._timers[number] = _Timer(due, call)
        self._arm(number)

    async def sleep(self, seconds: float) -> None:
        """Waits by this clock."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.at(self.now() + seconds, lambda: _wake(woken))
        await woken

    def advance(self, seconds: float) -> None:
        """Puts the clock forward; what becomes due happens at once, the earliest first."""
        self._offset += seconds
        for number in sorted(self._timers, key=lambda number: self._timers[number].due):
            self._arm(number)

    def clear(self) -> None:
        """Forgets everything that was to happen and goes back to the real time."""
        for timer in self._timers.values():
            if timer.handle is not None:
                timer.handle.cancel()
        self._timers.clear()
        self._offset = 0.0

    def _arm(self, number: int) -> None:
        timer = self._timers[number]
        if timer.handle is not None:
            timer.handle.cancel()
        wait = max(0.0, timer.due - self.now())
        timer.handle = asyncio.get_running_loop().call_later(wait, self._fire, number)

    def _fire(self, number: int) -> None:
        self._timers.pop(number).call()


def _wake(sleeper: asyncio.Future[None]) -> None:
    # It may have been cancelled while it slept.
    if not sleeper.done():
        sleeper.set_result(None)
