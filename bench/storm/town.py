"""Where a storm happens: Temporal, ingress, workers and sandboxes as processes, with a proxy between any two."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
from aiohttp import ClientSession
from temporalio.client import Client

from bench.shops import Shop, open_shops, write_connections
from bench.storm.parts import Parts, Program
from bench.storm.plan import UNKNOWN, Size
from bench.storm.toxiproxy import Toxiproxy, a_toxiproxy
from bench.till import TOLD
from cli.children import Child
from cli.demo_house import HOST, DemoPorts, environment
from cli.exits import CannotStart
from cli.ports import quiet_port
from cli.temporal_server import TemporalServer
from cli.temporal_setup import NO_LIMITS
from cli.up import part_command
from clients.keys import KeyRing
from clients.settings import ensure_keys
from clients.store import Store
from clients.temporal import connect

_WITHIN = 60.0  # seconds for a program to answer
_MINUTE = 3000  # Zoho's calls, for a storm is to wait for what it breaks; that few may be in process at once stays
# A shop waits half a minute and more where this storm has minutes in all: the same waits, shorter.
POLICY = """\
call_timeout = 10
settle_wait = 3
contact_lease = 10
first_retry = 0.2
longest_retry = 5
fee_patience = 2
by_hand = {poll_every = 0}
"""
# Stripe retries for days at growing intervals. Here it gives up soon, and `Town.resend` rings again.
DELIVERIES = {"webhook_retries": 1, "webhook_retry_after": 0.5, "webhook_timeout": 10}


@dataclass
class Town:
    """What a storm acts on. Its own questions go past the proxies."""

    home: Path
    client: Client
    http: httpx.AsyncClient
    store: Store
    shops: Mapping[int, Shop]
    parts: Parts
    proxies: Toxiproxy | None
    stripe_url: str
    zoho_url: str

    async def pay(self, wish: Mapping[str, Any]) -> str:
        """A payment in the Stripe sandbox; its id."""
        return str((await self._post(f"{self.stripe_url}/_pay", wish))["payment_intent"])

    async def stripe(self) -> dict[str, Any]:
        """Stripe's ledger of all shops."""
        return await self._get(f"{self.stripe_url}/_ledger")

    async def organizations(self) -> dict[int, dict[str, Any]]:
        """Zoho's ledger of each shop."""
        found = (await self._get(f"{self.zoho_url}/_ledger"))["organizations"]
        return {number: found[shop.organization] for number, shop in self.shops.items()}

    async def deliveries(self) -> dict[str, Any]:
        """The part of Stripe's ledger that tells of webhooks."""
        return await self._get(f"{self.stripe_url}/_deliveries")

    async def resend(self, event: str) -> None:
        """Stripe delivers an event once more."""
        await self._post(f"{self.stripe_url}/_events/{event}/resend", {})

    async def revoke(self) -> None:
        """Every access token of Zoho's becomes void."""
        await self._post(f"{self.zoho_url}/_revoke", {})

    async def make_unknown_known(self) -> None:
        """Somebody makes the item in Zoho that the waiting payments are about."""
        organizations = []
        for shop in self.shops.values():
            seed = shop.seed()
            item = {"sku": UNKNOWN, "name": "Ghost", "rate": 7, "stock": 1_000_000}
            organizations.append({**seed, "items": [*seed["items"], item]})
        await self._post(f"{self.zoho_url}/_seed", {"organizations": organizations})

    async def set_up(self, ingress: str) -> None:
        """Opens the shops' webhooks at `ingress` (host:port). Every other shop is told of a payment by one event only,
        so that one that is acknowledged and lost is not healed by the next.
        """
        await self._post(f"{self.stripe_url}/_switches", DELIVERIES)
        for number, shop in self.shops.items():
            body = {
                "account": shop.account,
                "url": f"http://{ingress}/webhooks/stripe/{shop.slug}",
                "enabled_events": [*TOLD, "charge.updated"] if number % 2 else ["payment_intent.succeeded"],
                "secret": shop.secret,
            }
            await self._post(f"{self.stripe_url}/_endpoints", body)

    async def _get(self, url: str) -> dict[str, Any]:
        answer = await self.http.get(url)
        answer.raise_for_status()
        found: dict[str, Any] = json.loads(answer.content, parse_float=Decimal)
        return found

    async def _post(self, url: str, body: Mapping[str, Any]) -> dict[str, Any]:
        answer = await self.http.post(url, json=body)
        answer.raise_for_status()
        return dict(answer.json())


@asynccontextmanager
async def a_town(temporal_cli: Path, toxiproxy: Path | None, home: Path, size: Size) -> AsyncIterator[Town]:
    """Everything running in the absolute folder `home`, emptied first; without a `toxiproxy` the parts meet directly.

    CannotStart says what did not come up.
    """
    await asyncio.to_thread(_empty, home)
    ports = DemoPorts(**{name: quiet_port() for name in ("temporal", "ui", "ingress", "stripe", "zoho")})
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=60, trust_env=False))
        temporal = TemporalServer(
            temporal_cli, home, port=ports.temporal, database=home / "temporal.db", limits=NO_LIMITS
        )
        await stack.enter_async_context(temporal)
        links = {
            "worker-stripe": f"{HOST}:{ports.stripe}",
            "worker-zoho": f"{HOST}:{ports.zoho}",
            "stripe-ingress": f"{HOST}:{ports.ingress}",
            "worker-temporal": temporal.address,
            "ingress-temporal": temporal.address,
        }
        proxies = await stack.enter_async_context(a_toxiproxy(toxiproxy, home, http)) if toxiproxy else None
        at = await proxies.open(links) if proxies else links
        keys = KeyRing.from_text(ensure_keys(home).read_text(encoding="utf-8"))
        store = await Store.open(f"sqlite+aiosqlite:///{home}/store.db", keys)
        stack.push_async_callback(store.close)
        parts = _parts(temporal, home, ports, at, size.workers)
        town = Town(
            home=home,
            client=await connect(temporal.address),
            http=http,
            store=store,
            shops={number: _shop(number) for number in range(1, size.shops + 1)},
            parts=parts,
            proxies=proxies,
            stripe_url=f"http://{HOST}:{ports.stripe}",
            zoho_url=f"http://{HOST}:{ports.zoho}",
        )
        await _furnish(stack, town, ports, at)
        yield town


def _shop(number: int) -> Shop:
    return Shop(number, minute_limit=_MINUTE, pace=_MINUTE, policy=POLICY)


def _empty(home: Path) -> None:
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)


def _parts(temporal: TemporalServer, home: Path, ports: DemoPorts, at: Mapping[str, str], workers: int) -> Parts:
    def program(name: str, part: str) -> Program:
        env = environment(home, ports) | {"THROUGHLINE_TEMPORAL_ADDRESS": at[f"{part}-temporal"]}
        return Program(name, part_command(part), home / f"{name}.log", env)

    return Parts(
        temporal,
        program("ingress", "ingress"),
        [program(f"worker-{number}", "worker") for number in range(1, workers + 1)],
    )


async def _furnish(stack: AsyncExitStack, town: Town, ports: DemoPorts, at: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "cli.main", "sandbox"]
    command += ["--stripe-port", str(ports.stripe), "--zoho-port", str(ports.zoho)]
    sandbox = Child.spawn("sandbox", command, log=town.home / "sandbox.log", env=environment(town.home, ports))
    stack.push_async_callback(sandbox.stop)
    await _answers(town.http, f"{town.zoho_url}/_switches", sandbox.log)
    async with ClientSession() as http:
        await open_shops(list(town.shops.values()), http, town.stripe_url, town.zoho_url)
    file = town.home / "connections.toml"
    write_connections(list(town.shops.values()), f"http://{at['worker-stripe']}", f"http://{at['worker-zoho']}", file)
    await town.set_up(at["stripe-ingress"])
    for program in town.parts.programs():
        program.start()
        stack.push_async_callback(program.stop)
    await _answers(town.http, f"http://{HOST}:{ports.ingress}/readyz", town.home / "ingress.log")


async def _answers(http: httpx.AsyncClient, url: str, log: Path | None) -> None:
    deadline = time.monotonic() + _WITHIN
    while time.monotonic() < deadline:
        try:
            if (await http.get(url)).is_success:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.05)
    raise CannotStart(f"Nothing answered at {url}. Its log: {log}")
