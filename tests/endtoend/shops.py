"""Shops for tests of faults: each has a Stripe and a Zoho of its own, with a door that keeps a log and can be held."""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from pydantic import SecretStr
from temporalio.client import Client

from activities.assembly import assemble
from activities.shops import Shops
from cli.ports import quiet_port
from clients.keys import KeyRing
from clients.store import Store
from clients.zoho.client import CALL_TIMEOUT
from domain.mapping_policy import MappingPolicy
from domain.policy import PaymentPolicy
from ingress.app import make_app as make_ingress
from ingress.run import serving
from ingress.starter import Starter
from sandbox.serving import Running, serve
from sandbox.stripe.app import make_app as make_stripe
from sandbox.zoho.app import make_app as make_zoho
from tests.house import MAPPING, QUICK, RETURN_FIELDS, SEED, SIGNER, House, connection_of
from worker import now, open_shop
from workflows.workers import make_workers

HOST = "127.0.0.1"
BY_HAND = {"X-By-Hand": "yes"}  # what people ask of a sandbox themselves is no call of ours
ZOHO_SECRET = "Abcdefgh12345678"  # what Zoho's webhooks bring


@dataclass
class Hold:
    """One request that waits at the door: before it is applied, or with its answer in hand (`after`)."""

    method: str
    path: str
    after: bool
    skip: int = 0  # how many such requests pass before
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    request: web.Request | None = None

    @property
    def waiting(self) -> bool:
        """Whether the request is at the door and its sender still waits for the answer."""
        transport = self.request.transport if self.request is not None else None
        return transport is not None and not transport.is_closing()


@dataclass(frozen=True)
class Seen:
    """A request that came to a door, `at` seconds of the process's clock."""

    at: float
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)


class Door:
    """Stands before a sandbox's API, keeps what came, and holds the first request that a hold is for.

    A request held before it is applied is lost when its sender has died by the time it is let go. What people ask
    themselves (BY_HAND) passes.
    """

    def __init__(self) -> None:
        self.log: list[Seen] = []
        self._holds: list[Hold] = []

    def hold(self, method: str, path: str, *, after: bool, skip: int = 0) -> Hold:
        """Holds the next request whose path has the regular expression `path` in it, `skip` others let through."""
        held = Hold(method, path, after, skip)
        self._holds.append(held)
        return held

    def release(self, held: Hold) -> None:
        """Holds it no more, whether it came or not."""
        if held in self._holds:
            self._holds.remove(held)
        held.let_go.set()

    def middleware(self) -> Middleware:
        """To be the outermost, so that what is held has left no trace yet."""

        @web.middleware
        async def door(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path.startswith("/_") or not BY_HAND.keys().isdisjoint(request.headers):
                return await handler(request)
            self.log.append(Seen(time.monotonic(), request.method, request.path, request.query))
            held = self._take(request)
            if held is None:
                return await handler(request)
            held.request = request
            answer = await handler(request) if held.after else web.Response()
            held.reached.set()
            await held.let_go.wait()
            return await handler(request) if held.waiting and not held.after else answer

        return door

    def _take(self, request: web.Request) -> Hold | None:
        for held in self._holds:
            if held.method != request.method or not re.search(held.path, request.path):
                continue
            if held.skip:
                held.skip -= 1
                continue
            self._holds.remove(held)
            return held
        return None


@dataclass(kw_only=True)
class Shop(House):
    """One connection's own pair of sandboxes."""

    stripe_program: Program
    zoho_program: Program
    memory: Path  # the store's file

    def program(self, at: str) -> Program:
        """The one that is called "stripe" or "zoho"."""
        return self.stripe_program if at == "stripe" else self.zoho_program

    async def books(self, *, only: str = "") -> dict[str, Any]:
        """Zoho's ledger of the shop's organisation, or those of its sections that `only` names."""
        return await self.zoho(self.connection.zoho.organization_id, only=only)

    async def resend(self, payment: str = "") -> None:
        """Has every event sent once more that speaks of the payment, or all of them."""
        for event in (await self.stripe(only="events"))["events"]:
            if payment in str(event["data"]):
                await self.post(f"{self.stripe_url}/_events/{event['id']}/resend", {})

    async def zoho_tells(self, return_id: str) -> None:
        """A webhook of Zoho's about a return."""
        headers = {"X-Throughline-Secret": ZOHO_SECRET}
        url = f"{self.ingress_url}/webhooks/zoho/{self.slug}"
        (await self.http.post(url, json={"salesreturn_id": return_id}, headers=headers)).raise_for_status()

    async def pays(self, **wish: Any) -> str:
        """The id of a payment that is made now."""
        made = await self.pay(**wish)
        return str(made["payment_intent"] or made["charge"])


@dataclass(frozen=True)
class Ways:
    """How a shop does things; `preferences` are those of its Zoho organisation, by the sandbox's switches, `seed` is
    what else it has.
    """

    policy: PaymentPolicy = QUICK
    mapping: MappingPolicy = MAPPING
    preferences: Mapping[str, Any] = field(default_factory=dict)
    seed: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Site:
    """Where shops are opened: what they share."""

    stack: AsyncExitStack
    client: Client
    store: Store
    memory: Path
    ingress_url: str
    http: httpx.AsyncClient
    state: Path | None = None  # a folder for what a Zoho holds, where one is to be stopped
    queue: str = ""  # of the workflows


class Program:
    """A sandbox that can be stopped and started again where it was, on the same port."""

    def __init__(self, make: Callable[[], web.Application]) -> None:
        self.door = Door()
        self._make = make
        self._running: Running | None = None
        self._port = 0

    async def start(self) -> str:
        """Its address. What it holds outlives a stop where it keeps its state in a file."""
        app = self._make()
        app.middlewares.insert(0, self.door.middleware())
        self._running = await serve(app, HOST, self._port)
        self._port = int(self._running.url.rpartition(":")[2])
        return self._running.url

    async def stop(self) -> None:
        """Nobody listens any more."""
        running, self._running = self._running, None
        if running is not None:
            await running.stop()


async def open_a_shop(site: Site, number: int, ways: Ways) -> Shop:
    """The `number`th shop. Its Stripe settles no fees by itself, so that its ledger holds what was asked for only."""
    state = site.state / f"zoho-{number}.db" if site.state else None
    stripe, zoho = Program(lambda: make_stripe(accounts=[])), Program(lambda: make_zoho(state=state))
    stripe_url, zoho_url = await stripe.start(), await zoho.start()
    for program in (stripe, zoho):
        site.stack.push_async_callback(program.stop)
    slug, secret = f"shop-{number}-{uuid.uuid4().hex[:8]}", "whsec_" + uuid.uuid4().hex
    connection = connection_of(
        slug,
        stripe_url,
        zoho_url,
        account_id=f"acct_1Shop{number}",
        organization_id=f"6000{number:07d}",
        secrets=(SecretStr(secret),),
        zoho_secrets=(SecretStr(ZOHO_SECRET),),
        policy=ways.policy,
        mapping=ways.mapping,
    )
    shop = Shop(
        slug=slug,
        client=site.client,
        store=site.store,
        stripe_url=stripe_url,
        zoho_url=zoho_url,
        ingress_url=site.ingress_url,
        connection=connection,
        http=site.http,
        queue=site.queue,
        stripe_program=stripe,
        zoho_program=zoho,
        memory=site.memory,
    )
    about = {"id": connection.stripe.account_id, "key": "sk_test_1", "country": "DE", "default_currency": "eur"}
    await shop.post(f"{stripe_url}/_seed", {"accounts": [about]})
    await shop.post(f"{stripe_url}/_switches", {"balance_after": None})
    about_zoho = {"organization_id": connection.zoho.organization_id, "preferences": dict(ways.preferences)}
    fields = {"custom_fields": [*SEED["custom_fields"], *RETURN_FIELDS]}
    seed = {**SEED, **fields, **about_zoho, **ways.seed}
    await shop.post(f"{zoho_url}/_seed", {"organizations": [seed]})
    endpoint = {"url": f"{site.ingress_url}/webhooks/stripe/{slug}", "enabled_events": ["*"], "secret": secret}
    await shop.post(f"{stripe_url}/_endpoints", {"account": connection.stripe.account_id, **endpoint})
    return shop


@asynccontextmanager
async def a_street(
    client: Client,
    folder: Path,
    names: Iterable[str],
    *,
    policy: PaymentPolicy = QUICK,
    zoho_seconds: float = CALL_TIMEOUT,
    keep: bool = False,
    ways: Mapping[str, Ways] | None = None,
) -> AsyncIterator[dict[str, Shop]]:
    """Many shops by name, served by one worker and one ingress of this process; `keep` lets a Zoho be stopped.

    `ways` are those of the shops that have their own, instead of `policy`.
    """
    async with AsyncExitStack() as stack:
        street = f"street-{uuid.uuid4().hex[:12]}"
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=30))
        memory = folder / f"{street}.db"
        store = await Store.open(f"sqlite+aiosqlite:///{memory}", KeyRing.generate())
        stack.push_async_callback(store.close)
        port = quiet_port()
        site = Site(stack, client, store, memory, f"http://{HOST}:{port}", http, folder if keep else None, street)
        own, usual = ways or {}, Ways(policy)
        shops = {name: await open_a_shop(site, no, own.get(name, usual)) for no, name in enumerate(names, 1)}
        connections = {shop.slug: shop.connection for shop in shops.values()}
        starter = Starter(client, connections, task_queue=street, zoho_queue=f"{street}-zoho")
        app = make_ingress(connections, client, store, starter=starter)
        await stack.enter_async_context(serving(app, HOST, port))
        more: dict[str, Any] = {"zoho_seconds": zoho_seconds, "signer": SIGNER}
        opened = Shops([await open_shop(stack, one, store, **more) for one in connections.values()])
        built = assemble(opened, store, starter, now)
        for worker in make_workers(client, built, queues=(street, f"{street}-zoho")):
            await stack.enter_async_context(worker)
        yield shops
