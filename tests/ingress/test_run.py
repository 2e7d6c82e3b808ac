"""The ingress as a process: it starts before Temporal, says what it is ready for, and ends what it began."""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import ClientSession
from temporalio.client import Client

from cli.temporal_binary import find_or_get
from cli.temporal_server import TemporalServer
from clients.connections import Connection
from clients.errors import SettingsError
from clients.settings import Settings
from clients.store import Store
from clients.temporal import connect
from ingress.app import make_app
from ingress.run import run_ingress, serving
from tests.ingress.conftest import LIMITS, Door, NoteTaker, new_session
from tests.ingress.deliveries import NOW, SECRET, SLUG, paid_intent, sign
from workflows import contract

CONNECTIONS = f"""
[connections.{SLUG}.stripe]
account_id = "acct_1Shop"
livemode = false
api_key = "rk_test_0123456789"
webhook_secrets = ["{SECRET}"]

[connections.{SLUG}.zoho]
organization_id = "10234695"
client_id = "1000.CLIENT"
client_secret = "client-secret"
refresh_token = "refresh-token"
"""


@pytest.fixture
def settings(tmp_path: Path, temporal_server: TemporalServer) -> Settings:
    """Settings of an install in a folder of its own."""
    file = tmp_path / "connections.toml"
    file.write_text(CONNECTIONS)
    return Settings(
        home=tmp_path / "home",
        connections_file=file,
        temporal_address=temporal_server.address,
        temporal_namespace=temporal_server.namespace,
        ingress_port=0,
    )


class Running:
    """An ingress that was started by its settings."""

    def __init__(self, settings: Settings) -> None:
        self.stop = asyncio.Event()
        self._ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(run_ingress(settings, self.stop, on_ready=self._ready.set_result))

    async def url(self) -> str:
        """Its address, once it listens."""
        self._task.add_done_callback(self._fell)
        async with asyncio.timeout(30):
            return await self._ready

    def _fell(self, task: asyncio.Task[None]) -> None:
        if not self._ready.done():
            self._ready.set_exception(task.exception() or RuntimeError("it ended before it was ready"))

    async def end(self) -> None:
        """Tell it to stop, and wait until it has."""
        self.stop.set()
        async with asyncio.timeout(30):
            await self._task


async def deliver(session: ClientSession, url: str, body: bytes) -> int:
    """The status of one delivery, signed now."""
    headers = {"Stripe-Signature": sign(body, at=datetime.now(UTC))}
    async with session.post(f"{url}/webhooks/stripe/{SLUG}", data=body, headers=headers) as answer:
        await answer.read()
        return answer.status


async def ready(session: ClientSession, url: str) -> tuple[int, dict[str, bool]]:
    """What `/readyz` says."""
    async with session.get(f"{url}/readyz") as answer:
        return answer.status, await answer.json()


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    """A sender."""
    async with new_session() as opened:
        yield opened


async def test_an_ingress_made_from_settings_starts_runs(
    settings: Settings, session: ClientSession, temporal_client: Client
) -> None:
    """With settings and a connections file alone, a signed event becomes a run."""
    running = Running(settings)
    url, payment_id = await running.url(), f"pi_{uuid.uuid4().hex}"
    assert await deliver(session, url, paid_intent(payment_id)) == 200
    assert await ready(session, url) == (200, {"temporal": True, "store": True})
    await running.end()
    run = temporal_client.get_workflow_handle(contract.payment_workflow_id(SLUG, payment_id))
    await run.terminate("seen")


async def test_with_encryption_a_run_starts_unreadable(
    settings: Settings, session: ClientSession, temporal_client: Client
) -> None:
    """With `encrypt_payloads` the input and the first signal are sealed before they leave the process."""
    running = Running(settings.model_copy(update={"encrypt_payloads": True}))
    url, payment_id = await running.url(), f"pi_{uuid.uuid4().hex}"
    assert await deliver(session, url, paid_intent(payment_id)) == 200
    await running.end()
    run = temporal_client.get_workflow_handle(contract.payment_workflow_id(SLUG, payment_id))
    events = (await run.fetch_history()).events
    started = events[0].workflow_execution_started_event_attributes.input.payloads
    told = events[1].workflow_execution_signaled_event_attributes.input.payloads
    assert {bytes(one.metadata["encoding"]) for one in (*started, *told)} == {b"binary/encrypted"}
    assert not any(payment_id.encode() in one.data for one in (*started, *told))
    await run.terminate("seen")


async def test_an_ingress_lives_while_temporal_is_down(
    settings: Settings, session: ClientSession, tmp_path: Path
) -> None:
    """It starts without Temporal, refuses with 503, and takes the repeated delivery once Temporal is there."""
    later = TemporalServer(await asyncio.to_thread(find_or_get, logging.info), tmp_path / "later")
    running = Running(settings.model_copy(update={"temporal_address": later.address}))
    url, body = await running.url(), paid_intent("pi_1")
    assert await deliver(session, url, body) == 503
    assert await ready(session, url) == (503, {"temporal": False, "store": True})
    async with later:
        assert await deliver(session, url, body) == 200
        assert (await ready(session, url))[0] == 200
        client = await connect(later.address, later.namespace)
        told = await client.get_workflow_handle(contract.payment_workflow_id(SLUG, "pi_1")).describe()
        assert told.id == "payment:shop:pi_1"
    assert await deliver(session, url, paid_intent("pi_2")) == 503
    await running.end()


async def test_the_process_is_alive_whatever_else_is_down(door: Door) -> None:
    """`/healthz` speaks for the process alone."""
    async with door.session.get(f"{door.url}/healthz") as answer:
        assert (answer.status, await answer.json()) == (200, {"status": "ok"})


async def test_what_it_began_it_finishes(
    connections: dict[str, Connection], store: Store, notes: NoteTaker, temporal_client: Client
) -> None:
    """A delivery at hand is answered though the process was told to stop; a new one finds no door."""
    notes.gate = asyncio.Event()
    app = make_app(connections, temporal_client, store, starter=notes, now=lambda: NOW, limits=LIMITS)
    async with new_session() as session:
        async with serving(app, "127.0.0.1", 0) as url:
            door = Door(url, session, store, temporal_client)
            at_hand = asyncio.create_task(door.deliver(paid_intent("pi_1")))
            await notes.entered.wait()
            asyncio.get_running_loop().call_later(0.1, notes.gate.set)
        assert (await at_hand).status == 200
        with pytest.raises(OSError):
            await door.deliver(paid_intent("pi_2"))


async def test_a_busy_port_is_a_sentence(settings: Settings) -> None:
    """Somebody else's port is named with the cure, and nothing is left open."""
    taken = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    running = Running(settings.model_copy(update={"ingress_port": port}))
    with pytest.raises(SettingsError, match=f"127.0.0.1:{port}.*THROUGHLINE_INGRESS_PORT"):
        await running.url()
    taken.close()
    await taken.wait_closed()


async def test_the_metrics_tell_what_became_of_deliveries(door: Door, notes: NoteTaker) -> None:
    """Counters by connection, type and outcome, seconds to the answer, and what is in flight."""
    await door.deliver(paid_intent("pi_1"))
    await door.deliver(json.dumps({}).encode())
    page = await door.metrics()
    series = 'throughline_webhook_events_total{connection="shop",outcome='
    assert f'{series}"accepted",type="payment_intent.succeeded"}} 1.0' in page
    assert f'{series}"no-event",type="unread"}} 1.0' in page
    assert "throughline_webhook_answer_seconds_count 2.0" in page
    assert "throughline_webhook_in_flight 0.0" in page
    assert len(notes.told) == 1
