"""Webhooks under way: each is a task of its own, and what an earlier program left pending goes on."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod

import aiohttp

from sandbox.persistence import Collection


class Outbox(ABC):
    """Deliveries by name, kept in `rows`; one whose `state` is pending is under way."""

    def __init__(self, rows: Collection) -> None:
        self._rows = rows
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Opens the way out and sends what is still pending."""
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        for name, row in self._rows.items():
            if row["state"] == "pending":
                self._spawn(name)

    async def stop(self) -> None:
        """Drops what is under way; it stays pending in the file."""
        await self.forget()
        if self._session is not None:
            await self._session.close()

    async def forget(self) -> None:
        """Ends every delivery under way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _spawn(self, name: str) -> None:
        task = asyncio.get_running_loop().create_task(self._deliver(name))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @abstractmethod
    async def _deliver(self, name: str) -> None:
        """Until it is taken or given up."""
