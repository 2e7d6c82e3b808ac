"""Webhooks sent: at a steady rate whatever the answers (open), or the next when one is done (closed)."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from aiohttp import ClientError, ClientSession, TCPConnector

from bench.stats import Spread
from bench.till import Webhook

T = TypeVar("T")


@dataclass(frozen=True)
class Answered:
    """One delivery: `due` is when it was to be sent (seconds since 1970), `seconds` run from then to the answer."""

    about: str
    due: float
    seconds: float
    status: int  # 0: none came


@dataclass(frozen=True)
class Answers:
    """All deliveries of one load, at `rate` a second as it came out."""

    rows: tuple[Answered, ...]
    rate: float

    @property
    def spread(self) -> Spread:
        """How long answers took, counted from when each delivery was due."""
        return Spread.of([row.seconds for row in self.rows])

    @property
    def refused(self) -> int:
        """Deliveries without a 2xx."""
        return sum(not 200 <= row.status < 300 for row in self.rows)

    @property
    def statuses(self) -> Counter[int]:
        """How often each status came."""
        return Counter(row.status for row in self.rows)

    def first_due(self) -> dict[str, float]:
        """When the first word about each payment was due."""
        due: dict[str, float] = {}
        for row in self.rows:
            due[row.about] = min(row.due, due.get(row.about, row.due))
        return due


class Sender:
    """Stands where Stripe stands: keeps connections open and signs at the last moment."""

    def __init__(self, ingress_url: str) -> None:
        self._url = ingress_url
        # The ingress closes a connection that is idle for 15 s: a delivery on it at that moment would be lost.
        self._http = ClientSession(connector=TCPConnector(limit=0, keepalive_timeout=5))

    async def close(self) -> None:
        """Ends the connections."""
        await self._http.close()

    async def send(self, webhook: Webhook, due: float | None = None) -> Answered:
        """Delivers now; `due` is an earlier moment to count from."""
        due = time.time() if due is None else due
        url = f"{self._url}/webhooks/stripe/{webhook.shop.slug}"
        try:
            async with self._http.post(url, data=webhook.body, headers=webhook.headers()) as answer:
                await answer.read()
                status = answer.status
        except (ClientError, TimeoutError):
            status = 0
        return Answered(webhook.about, due, time.time() - due, status)

    async def at_rate(self, webhooks: Sequence[Webhook], per_second: float) -> Answers:
        """Each at its moment, whether or not the ones before are answered."""
        begin = time.time()
        tasks = []
        for place, webhook in enumerate(webhooks):
            due = begin + place / per_second
            await asyncio.sleep(due - time.time())
            tasks.append(asyncio.create_task(self.send(webhook, due)))
        sent = time.time() - begin
        rows = await asyncio.gather(*tasks)
        return Answers(tuple(rows), (len(rows) - 1) / sent if len(rows) > 1 else per_second)


async def closed_loop(work: Sequence[T], at_once: int, one: Callable[[T], Awaitable[object]]) -> float:
    """Does all `work` with `at_once` under way; seconds from the first to the last."""
    left = list(reversed(work))

    async def slot() -> None:
        while left:
            await one(left.pop())

    begin = time.monotonic()
    await asyncio.gather(*(slot() for _ in range(at_once)))
    return time.monotonic() - begin
