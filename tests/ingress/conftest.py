"""The ingress with real HTTP and a real store; Temporal is real, or a stand-in that takes notes."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
from aiohttp import ClientResponse, ClientSession, TCPConnector
from temporalio.client import Client, WorkflowHistory

from clients.connections import Connection
from clients.errors import TryLater
from clients.keys import KeyRing
from clients.store import Store
from domain.returns import ReturnEvent
from domain.runs import PaymentEvent
from ingress.app import make_app
from ingress.door import Started
from ingress.limits import Limits
from ingress.run import serving
from ingress.starter import Starter
from tests.ingress.deliveries import NOW, SECRET, SLUG, connection, sign

LIMITS = Limits(body_seconds=1.0, header_seconds=2.0, remember_seconds=20.0)


def new_session() -> ClientSession:
    """A sender that opens a connection for each request: an idle one is soon closed by these limits."""
    return ClientSession(connector=TCPConnector(force_close=True))


@dataclass
class Door:
    """A running ingress, and what a sender can do at it."""

    url: str
    session: ClientSession
    store: Store
    client: Client

    async def deliver(
        self, body: bytes, *, slug: str = SLUG, secret: str = SECRET, at: datetime = NOW, **headers: str
    ) -> ClientResponse:
        """One delivery, signed; `headers` add to its own or replace them (`Stripe_Signature`)."""
        own = {"Stripe-Signature": sign(body, secret, at=at), "Content-Type": "application/json"}
        own |= {name.replace("_", "-"): value for name, value in headers.items()}
        response = await self.session.post(f"{self.url}/webhooks/stripe/{slug}", data=body, headers=own)
        await response.read()
        return response

    async def metrics(self) -> str:
        """The page that Prometheus reads."""
        async with self.session.get(f"{self.url}/metrics") as response:
            return await response.text()

    async def counted(self, outcome: str, *, type: str = "unread", slug: str = SLUG) -> float:
        """How many deliveries ended as `outcome`."""
        label = f'{{connection="{slug}",outcome="{outcome}",type="{type}"}} '
        name = "throughline_webhook_events_total"
        return next(
            (float(line.split()[-1]) for line in (await self.metrics()).splitlines()
             if line.startswith(name + label)),
            0.0,
        )  # fmt: skip


@dataclass
class NoteTaker:
    """Stands where Temporal would: writes down what it is told, or refuses."""

    told: list[tuple[str, str, PaymentEvent, str]] = field(default_factory=list)
    returns: list[tuple[str, str]] = field(default_factory=list)
    adjustments: list[tuple[str, str]] = field(default_factory=list)
    down: bool = False
    gate: asyncio.Event | None = None
    entered: asyncio.Event = field(default_factory=asyncio.Event)

    async def payment_event(
        self, connection: str, payment_id: str, seen: PaymentEvent, summary_hint: str = ""
    ) -> Started:
        """A payment's run would be started."""
        self.entered.set()
        if self.gate is not None:
            await self.gate.wait()
        return self._note((connection, payment_id, seen, summary_hint))

    async def refund_event(self, connection: str, refund_id: str, payment_id: str, seen: PaymentEvent) -> Started:
        """A refund's run would be started."""
        return self._note((connection, payment_id, seen, refund_id))

    async def dispute_event(self, connection: str, dispute_id: str, payment_id: str, seen: PaymentEvent) -> Started:
        """A dispute's run would be started."""
        return self._note((connection, payment_id, seen, dispute_id))

    async def adjustment_event(self, connection: str, adjustment_id: str, event: ReturnEvent) -> Started:
        """An adjustment's run would be started."""
        if self.down:
            raise TryLater("temporal", "it is down")
        self.adjustments.append((connection, adjustment_id))
        return Started.ACCEPTED

    async def return_event(self, connection: str, return_id: str, event: ReturnEvent) -> Started:
        """A return's run would be started."""
        if self.down:
            raise TryLater("temporal", "it is down")
        self.returns.append((connection, return_id))
        return Started.ACCEPTED

    async def payout_event(self, connection: str, payout_id: str, seen: PaymentEvent) -> Started:
        """A payout's run would be started."""
        return self._note((connection, "", seen, payout_id))

    async def resolve_event(self, connection: str, seen: PaymentEvent) -> Started:
        """A resolver run would be started."""
        return self._note((connection, "", seen, ""))

    def _note(self, told: tuple[str, str, PaymentEvent, str]) -> Started:
        if self.down:
            raise TryLater("temporal", "it is down")
        self.told.append(told)
        return Started.ACCEPTED


@pytest.fixture(scope="session")
def connections() -> dict[str, Connection]:
    """A shop in test mode, and one in live mode."""
    return {SLUG: connection(), "live": connection("live", livemode=True)}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A store of its own."""
    opened = await Store.open(f"sqlite+aiosqlite:///{tmp_path}/store.db", KeyRing.generate())
    yield opened
    await opened.close()


@pytest.fixture
def notes() -> NoteTaker:
    """What the ingress would have told Temporal."""
    return NoteTaker()


@pytest.fixture
async def door(
    connections: dict[str, Connection], store: Store, notes: NoteTaker, temporal_client: Client
) -> AsyncIterator[Door]:
    """An ingress whose starts are only noted."""
    app = make_app(connections, temporal_client, store, starter=notes, now=lambda: NOW, limits=LIMITS)
    async with serving(app, "127.0.0.1", 0) as url, new_session() as session:
        yield Door(url, session, store, temporal_client)


@pytest.fixture
async def real_door(connections: dict[str, Connection], store: Store, temporal_client: Client) -> AsyncIterator[Door]:
    """An ingress that starts runs on the real server, on a task queue of its own."""
    starter = Starter(temporal_client, connections, task_queue=f"ingress-{uuid.uuid4()}")
    app = make_app(connections, temporal_client, store, starter=starter, now=lambda: NOW, limits=LIMITS)
    async with serving(app, "127.0.0.1", 0) as url, new_session() as session:
        yield Door(url, session, store, temporal_client)


@pytest.fixture
def payment_id() -> str:
    """A payment of this test alone."""
    return f"pi_{uuid.uuid4().hex}"


@pytest.fixture
def task_queue() -> str:
    """A queue of this test alone."""
    return f"starter-{uuid.uuid4().hex}"


@pytest.fixture
def starter(temporal_client: Client, connections: dict[str, Connection], task_queue: str) -> Starter:
    """A starter on the real server."""
    return Starter(temporal_client, connections, task_queue=task_queue)


def told_in(history: WorkflowHistory) -> list[str]:
    """The ids of the events that a run was told."""
    told = [
        one.workflow_execution_signaled_event_attributes.input.payloads[0].data
        for one in history.events
        if one.HasField("workflow_execution_signaled_event_attributes")
    ]
    return [str(json.loads(data)["event_id"]) for data in told]
