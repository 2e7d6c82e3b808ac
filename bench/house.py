"""Everything that is measured, each program a process of its own, so that CPU can be told apart."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientSession
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from bench import bare
from bench.cpu import Meter
from bench.load import Sender
from bench.shops import Shop, open_shops, write_connections
from cli.children import Child
from cli.demo_house import HOST, DemoPorts, environment
from cli.exits import CannotStart
from cli.ports import quiet_port
from cli.temporal_server import TemporalServer
from cli.temporal_setup import NO_LIMITS
from cli.up import part_command
from clients.temporal import connect
from workflows import contract

_WITHIN = 60.0
_LOOK = 0.02
_WORKER = (
    (contract.MAIN_QUEUE, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW),
    (contract.ZOHO_QUEUE, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
)
_BARE = (
    (bare.QUEUE, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW),
    (bare.ZOHO_QUEUE, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
)


@dataclass
class House:
    """The running programs; "load" is this process, which plays Stripe's part as a sender."""

    home: Path
    client: Client
    http: ClientSession
    sender: Sender
    ports: DemoPorts
    shops: list[Shop]
    honest: Shop
    more: Sequence[Shop] = ()
    children: dict[str, Child] = field(default_factory=dict)
    temporal_pid: int = 0
    settings: dict[str, str] = field(default_factory=dict)  # of programs that are started from now on

    @property
    def stripe_url(self) -> str:
        """The Stripe sandbox."""
        return f"http://{HOST}:{self.ports.stripe}"

    @property
    def zoho_url(self) -> str:
        """The Zoho sandbox."""
        return f"http://{HOST}:{self.ports.zoho}"

    def meter(self) -> Meter:
        """Counts from now."""
        pids = {name: child.pid for name, child in self.children.items()}
        return Meter({"temporal": self.temporal_pid, **pids, "load": os.getpid()})

    async def start(self, name: str, command: list[str]) -> Child:
        """One more program."""
        env = environment(self.home, self.ports) | self.settings
        env.pop("PYTHONDONTWRITEBYTECODE", None)  # without bytecode each new run compiles its workflow's file anew
        child = Child.spawn(name, command, log=self.home / f"{name}.log", env=env)
        self.children[name] = child
        return child

    async def stop(self, name: str) -> None:
        """One program less."""
        await self.children.pop(name).stop(60)

    async def start_worker(self) -> float:
        """Our worker; seconds from the command until the server knows it on both its queues."""
        begun = time.monotonic()
        await self._polls(await self.start("worker", part_command("worker")), _WORKER)
        return time.monotonic() - begun

    async def start_ingress(self) -> None:
        """Our ingress, ready for webhooks."""
        await self.start("ingress", part_command("ingress"))
        await self.answers("ingress", f"http://{HOST}:{self.ports.ingress}/readyz")

    async def start_bare(self) -> None:
        """The worker of bare workflows."""
        command = [sys.executable, "-m", "bench.bare_worker", f"{HOST}:{self.ports.temporal}"]
        await self._polls(await self.start("bare", command), _BARE)

    async def zoho_calls(self, shop: Shop) -> tuple[int, int]:
        """Calls that the shop's organisation has counted, and those that it refused."""
        query = {"organization_id": shop.organization}
        async with self.http.get(f"{self.zoho_url}/_ledger", params=query) as answer:
            calls = (await answer.json())["organizations"][shop.organization]["calls"]
        return sum(calls["counts"].values()), sum(calls["refused"].values())

    async def act(self, path: str, **wish: Any) -> Any:
        """Has something happen in the Stripe sandbox; what it says."""
        async with self.http.post(f"{self.stripe_url}/{path}", json=wish) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def answers(self, name: str, url: str) -> None:
        """Waits until the program answers there."""

        async def answered() -> bool:
            try:
                async with self.http.get(url) as answer:
                    return answer.ok
            except ClientError:
                return False

        await _until(answered, self.children[name])

    async def _polls(self, child: Child, queues: tuple[tuple[str, TaskQueueType.ValueType], ...]) -> None:
        async def polling() -> bool:
            seen = [await self._pollers(name, kind) for name, kind in queues]
            return all(any(who.startswith(f"{child.pid}@") for who in pollers) for pollers in seen)

        await _until(polling, child)

    async def _pollers(self, queue: str, kind: TaskQueueType.ValueType) -> list[str]:
        answer = await self.client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=self.client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
            )
        )
        return [poller.identity for poller in answer.pollers]


@asynccontextmanager
async def a_house(binary: Path, home: Path, shops: int, more: Sequence[Shop] = ()) -> AsyncIterator[House]:
    """Temporal on a file, sandboxes and ingress, with so many shops open, and `more`; `home` is emptied first."""
    await asyncio.to_thread(_empty, home)
    ports = DemoPorts(**{name: quiet_port() for name in ("temporal", "ui", "ingress", "stripe", "zoho")})
    server = TemporalServer(binary, home, port=ports.temporal, database=home / "temporal.db", limits=NO_LIMITS)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(server)
        http = await stack.enter_async_context(ClientSession())
        sender = Sender(f"http://{HOST}:{ports.ingress}")
        stack.push_async_callback(sender.close)
        built = House(
            home=home,
            client=await connect(server.address),
            http=http,
            sender=sender,
            ports=ports,
            shops=[Shop(number) for number in range(1, shops + 1)],
            honest=Shop(0, honest=True),
            more=more,
            temporal_pid=server.pid,
        )
        stack.push_async_callback(_stop_all, built)
        await _furnish(built)
        yield built


def _empty(home: Path) -> None:
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)


async def _furnish(house: House) -> None:
    ports = ["--stripe-port", str(house.ports.stripe), "--zoho-port", str(house.ports.zoho)]
    await house.start("sandbox", [sys.executable, "-m", "cli.main", "sandbox", *ports])
    await house.answers("sandbox", f"{house.zoho_url}/_switches")
    shops = [house.honest, *house.shops, *house.more]
    await open_shops(shops, house.http, house.stripe_url, house.zoho_url)
    write_connections(shops, house.stripe_url, house.zoho_url, house.home / "connections.toml")
    await house.start_ingress()


async def _stop_all(house: House) -> None:
    await asyncio.gather(*(house.stop(name) for name in list(house.children)))


async def _until(holds: Callable[[], Awaitable[bool]], child: Child) -> None:
    deadline = time.monotonic() + _WITHIN
    while time.monotonic() < deadline:
        if await holds():
            return
        if child.exit_code is not None:
            break
        await asyncio.sleep(_LOOK)
    raise CannotStart(f"The {child.name} did not come up: {child.tail()}\nIts log: {child.log}")
