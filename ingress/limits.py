"""How much a stranger may take of us: bytes, seconds, connections."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """`header_seconds`: a connection without a whole request head for so long is closed, idle ones too.

    `body_seconds`: for the whole body, however it drips. `remember_seconds`: what an answer may wait for
    our own store. `connections`: above it the oldest that wait for a request are closed (a process often has
    1,024 descriptors). `at_hand`: above it a delivery is refused at once, so that a slow or dead
    Temporal cannot fill this process. `starts_at_once`: calls to Temporal under way; more of them make none faster.
    `turn_seconds`: what an event may wait before its own is made. `finish_seconds`: what a stopping process gives
    the requests at hand.
    """

    body_bytes: int = 256 * 1024
    body_seconds: float = 10.0
    header_seconds: float = 15.0
    remember_seconds: float = 2.0
    connections: int = 800
    at_hand: int = 750
    starts_at_once: int = 16
    turn_seconds: float = 5.0
    sweep_seconds: float = 1.0
    finish_seconds: float = 20.0


class Doorman:
    """Keeps the number of connections bounded without ever closing one whose request is being answered."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._answering: set[object] = set()

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Marks the connection as busy while its request is answered."""
        self._answering.add(request.protocol)
        try:
            return await handler(request)
        finally:
            self._answering.discard(request.protocol)

    def sweep(self, server: web.Server) -> int:
        """Closes the oldest waiting connections above the cap, and tells how many."""
        connections = server.connections  # in the order they came
        waiting = [one for one in connections if one not in self._answering]
        excess = waiting[: max(0, len(connections) - self._most)]
        for connection in excess:
            connection.force_close()
        return len(excess)

    async def watch(self, server: web.Server, every: float) -> None:
        """Sweeps `every` so many seconds until cancelled."""
        while True:
            await asyncio.sleep(every)
            if closed := self.sweep(server):
                log.warning("closed %d waiting connections: more than %d were open", closed, self._most)
