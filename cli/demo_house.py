"""The demo's five programs, each a child process with a log of its own, started and ended in order."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from cli.children import Child
from cli.exits import CannotStart
from cli.ledgers import Sandboxes
from cli.ports import ensure_free
from cli.shop import SLUG
from cli.temporal_server import TemporalServer
from cli.temporal_setup import Limits
from cli.up import part_command

HOST = "127.0.0.1"
READY_WITHIN = 60.0  # seconds for a program to answer; each takes about two


@dataclass(frozen=True)
class DemoPorts:
    """Where everything listens."""

    temporal: int
    ui: int
    ingress: int
    stripe: int
    zoho: int


@dataclass(frozen=True)
class House:
    """The running demo."""

    ports: DemoPorts
    home: Path
    children: tuple[Child, ...]
    sandboxes: Sandboxes
    ui_url: str

    def fallen(self) -> list[Child]:
        """Programs that have ended although nobody asked them to."""
        return [child for child in self.children if child.exit_code is not None]


@asynccontextmanager
async def open_house(binary: Path, home: Path, ports: DemoPorts, limits: Limits) -> AsyncIterator[House]:
    """Starts everything and ends it in reverse order; `home` is absolute. CannotStart: what did not come up."""
    for port, what, option in (
        (ports.ingress, "the ingress", "--ingress-port"),
        (ports.stripe, "the Stripe sandbox", "--stripe-port"),
        (ports.zoho, "the Zoho sandbox", "--zoho-port"),
    ):
        ensure_free(HOST, port, what=what, option=option)
    temporal = TemporalServer(
        binary, home, port=ports.temporal, ui_port=ports.ui, database=home / "temporal.db", limits=limits
    )
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=10.0, trust_env=False))
        await stack.enter_async_context(temporal)
        sandbox = _spawn(stack, "sandbox", _sandbox_command(home, ports, limits), home, ports)
        await _answers(http, sandbox, f"http://{HOST}:{ports.zoho}/_switches")
        await _until(sandbox, _exists(home / "connections.toml"), "did not open its shop")
        worker = _spawn(stack, "worker", part_command("worker"), home, ports)
        ingress = _spawn(stack, "ingress", part_command("ingress"), home, ports)
        await _answers(http, ingress, f"http://{HOST}:{ports.ingress}/readyz")
        sandboxes = Sandboxes(http, f"http://{HOST}:{ports.stripe}", f"http://{HOST}:{ports.zoho}")
        yield House(ports, home, (sandbox, worker, ingress), sandboxes, temporal.ui_url)


def _spawn(stack: AsyncExitStack, name: str, command: list[str], home: Path, ports: DemoPorts) -> Child:
    child = Child.spawn(name, command, log=home / f"{name}.log", env=environment(home, ports))
    stack.push_async_callback(child.stop)
    return child


def environment(home: Path, ports: DemoPorts) -> dict[str, str]:
    """The demo's own settings, with nothing of the user's: a demo must not touch a real shop."""
    empty = home / "throughline.toml"
    empty.touch()
    own = {
        "THROUGHLINE_CONFIG": str(empty),
        "THROUGHLINE_HOME": str(home),
        "THROUGHLINE_CONNECTIONS_FILE": str(home / "connections.toml"),
        "THROUGHLINE_TEMPORAL_ADDRESS": f"{HOST}:{ports.temporal}",
        "THROUGHLINE_INGRESS_HOST": HOST,
        "THROUGHLINE_INGRESS_PORT": str(ports.ingress),
    }
    return {key: value for key, value in os.environ.items() if not key.startswith("THROUGHLINE_")} | own


def _sandbox_command(home: Path, ports: DemoPorts, limits: Limits) -> list[str]:
    command = [sys.executable, "-m", "cli.main", "sandbox", "--state", str(home / "sandbox")]
    command += ["--stripe-port", str(ports.stripe), "--zoho-port", str(ports.zoho)]
    command += ["--connections", str(home / "connections.toml")]
    command += [] if limits.zoho else ["--calls-per-minute", "0"]
    return [*command, "--webhook-url", f"http://{HOST}:{ports.ingress}/webhooks/stripe/{SLUG}"]


def _exists(path: Path) -> Callable[[], Awaitable[bool]]:
    return lambda: asyncio.to_thread(path.exists)


async def _answers(http: httpx.AsyncClient, child: Child, url: str) -> None:
    async def answered() -> bool:
        try:
            return (await http.get(url)).is_success
        except httpx.TransportError:
            return False

    await _until(child, answered, f"does not answer at {url}")


async def _until(child: Child, holds: Callable[[], Awaitable[bool]], fault: str) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        if await holds():
            return
        if child.exit_code is not None:
            raise CannotStart(f"The {child.name} ended at once: {child.tail()}\nIts log: {child.log}")
        await asyncio.sleep(0.05)
    raise CannotStart(f"The {child.name} {fault}. Its log: {child.log}")
