"""A Temporal dev server as a child process, prepared for our runs. Its file stays, so what ran goes on."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from temporalio.client import Client

from cli.children import Child
from cli.exits import CannotStart
from cli.ports import ensure_free, quiet_port
from cli.temporal_setup import RETENTION, Limits, prepare
from clients.temporal import connect, is_ready
from workflows.contract import SEARCH_ATTRIBUTES

HOST = "127.0.0.1"
HEALTHY_WITHIN = 30.0  # seconds; a start takes about one
# The server looks for free ports for its own services, and binds them later: somebody may be quicker.
STARTS = 3
TAKEN = "address already in use"

# Fairness carries the limit of each organisation; one partition makes small limits even; the others keep the
# server from dawdling about a second over each retry and timer while it has little to do.
DYNAMIC_CONFIG = {
    "matching.enableFairness": "true",
    "matching.numTaskqueueReadPartitions": "1",
    "matching.numTaskqueueWritePartitions": "1",
    "history.timerProcessorMaxTimeShift": '"10ms"',
    "history.timerProcessorMaxPollRPS": "500",
    "history.transferProcessorMaxPollRPS": "500",
}


class ServerFailed(CannotStart):
    """The server did not come up; the message holds its last words and its log's place."""


class TemporalServer:
    """`async with TemporalServer(binary, home) as server:` is healthy at `server.address`, and stopped after.

    `port` 0 takes any free one, `ui_port` None leaves the UI out. `database` None keeps everything in memory.
    """

    def __init__(
        self,
        binary: Path,
        home: Path,
        *,
        port: int = 0,
        ui_port: int | None = None,
        database: Path | None = None,
        namespace: str = "default",
        limits: Limits | None = None,
        retention: timedelta = RETENTION,
    ) -> None:
        self.port = port or quiet_port(HOST)
        self.ui_port = quiet_port(HOST) if ui_port == 0 else ui_port
        self.namespace = namespace
        self.log = home / "temporal.log"
        self._binary = binary
        self._database = database
        self._limits = limits or Limits()
        self._retention = retention
        self._child: Child | None = None

    @property
    def address(self) -> str:
        """Host and port for clients."""
        return f"{HOST}:{self.port}"

    @property
    def ui_url(self) -> str:
        """Where a person looks, "" without a UI."""
        return f"http://{HOST}:{self.ui_port}" if self.ui_port is not None else ""

    @property
    def pid(self) -> int:
        """Its process id, 0 before the first start."""
        return self._child.pid if self._child is not None else 0

    async def start(self) -> None:
        """Starts and prepares it. PortBusy or ServerFailed, each a sentence for the person who typed."""
        ensure_free(HOST, self.port, what="Temporal", option="--temporal-port")
        if self.ui_port is not None:
            ensure_free(HOST, self.ui_port, what="the Temporal UI", option="--ui-port")
        if self._database is not None:
            self._database.parent.mkdir(parents=True, exist_ok=True)
        try:
            await prepare(await self._started(), self._limits, self._retention)
        except BaseException:
            self.kill()
            raise

    async def stop(self) -> None:
        """Ends it in order."""
        if self._child is not None:
            await self._child.stop()

    def kill(self) -> None:
        """SIGKILL, as a machine that fails would."""
        if self._child is not None:
            self._child.kill()

    async def restart(self) -> None:
        """Starts it again on the same ports and file, after `stop` or `kill`."""
        if self._child is not None:
            await self._child.stop()
        await self.start()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _started(self) -> Client:
        """A client of the server, which is started again where another program took one of its inner ports."""
        for _ in range(STARTS - 1):
            try:
                return await self._healthy(self._spawn())
            except ServerFailed as failed:
                if TAKEN not in str(failed):
                    raise
        return await self._healthy(self._spawn())

    def _spawn(self) -> Child:
        self._child = Child.spawn("temporal", self._command(), log=self.log)
        return self._child

    async def _healthy(self, child: Child) -> Client:
        """A client, once the namespace answers."""
        client = await connect(self.address, self.namespace, lazy=True)
        deadline = time.monotonic() + HEALTHY_WITHIN
        while time.monotonic() < deadline:
            if child.exit_code is not None:
                raise ServerFailed(f"Temporal ended at once: {child.tail()}\nIts log: {self.log}")
            if await is_ready(client):
                return client
            await asyncio.sleep(0.05)
        raise ServerFailed(f"Temporal was not healthy after {HEALTHY_WITHIN:.0f} s. Its log: {self.log}")

    def _command(self) -> list[str]:
        command = [str(self._binary), "server", "start-dev", "--ip", HOST, "--port", str(self.port)]
        command += ["--namespace", self.namespace, "--log-level", "error", "--ui-disable-news-fetch"]
        command += ["--headless"] if self.ui_port is None else ["--ui-port", str(self.ui_port)]
        if self._database is not None:
            command += ["--db-filename", str(self._database)]
            command += ["--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=1"]
        for key, value in DYNAMIC_CONFIG.items():
            command += ["--dynamic-config-value", f"{key}={value}"]
        for attribute in SEARCH_ATTRIBUTES:
            command += [
                "--search-attribute",
                f"{attribute.name}={_type_name(attribute.indexed_value_type.name)}",
            ]
        return command


def _type_name(name: str) -> str:
    """`KEYWORD_LIST` as the command line writes it: `KeywordList`."""
    return "".join(part.capitalize() for part in name.split("_"))
