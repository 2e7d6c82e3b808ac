"""The programs that are killed, each started again as a supervisor would."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from cli.children import Child
from cli.temporal_server import TemporalServer

_PAUSE = 0.5  # seconds until a program that ended by itself is started again


class Program:
    """A child process that is there again after each end."""

    def __init__(self, name: str, command: Sequence[str], log: Path, env: Mapping[str, str]) -> None:
        self.name = name
        self.fallen = 0  # how often it ended by itself
        self._command, self._log, self._env = command, log, env
        self._away: float | None = None
        self._child: Child | None = None
        self._runs = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    def start(self) -> None:
        """From now on it runs."""
        self._keeper = asyncio.create_task(self._keep())

    async def kill(self, away: float) -> None:
        """SIGKILL, as soon as it runs; there again after `away` seconds."""
        await self._runs.wait()
        self._away = away
        if self._child is not None:
            self._child.kill()
        self._runs.clear()

    async def stop(self) -> None:
        """Ends it in order, for good."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        if self._child is not None:
            await self._child.stop(60)

    async def _keep(self) -> None:
        while True:
            self._child = Child.spawn(self.name, self._command, log=self._log, env=self._env)
            self._runs.set()
            await self._child.wait()
            self._runs.clear()
            if self._away is None:
                self.fallen += 1
            await asyncio.sleep(_PAUSE if self._away is None else self._away)
            self._away = None


class Parts:
    """Temporal, the ingress and the workers: what a kill can hit, and how often each was hit."""

    def __init__(self, temporal: TemporalServer, ingress: Program, workers: Sequence[Program]) -> None:
        self.killed: Counter[str] = Counter()
        self._temporal, self._ingress, self._workers = temporal, ingress, workers
        self._turn = asyncio.Lock()  # a Temporal that is being started is not killed, for we start it ourselves

    def programs(self) -> list[Program]:
        """Those that are supervised here."""
        return [self._ingress, *self._workers]

    async def kill(self, part: str, which: int, away: float) -> None:
        """Kills it; returns when it is being started again, Temporal when it answers again."""
        if part == "temporal":
            async with self._turn:
                self._temporal.kill()
                self.killed[part] += 1
                await asyncio.sleep(away)
                await self._temporal.restart()
            return
        program = self._ingress if part == "ingress" else self._workers[which]
        await program.kill(away)
        self.killed[part] += 1
        await asyncio.sleep(away)
