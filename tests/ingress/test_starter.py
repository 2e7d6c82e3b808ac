"""What a real Temporal makes of the events: one run per payment, found by its ids."""

from __future__ import annotations

import asyncio
import json
import socket
import time
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError
from temporalio.worker import Worker

from clients.connections import Connection
from clients.errors import TryLater
from clients.temporal import connect
from domain.policy import ReturnPolicy, ReturnTrigger
from domain.returns import ReturnEvent
from domain.runs import PaymentEvent, PaymentInput, ResolveInput
from ingress.door import Started
from ingress.starter import Starter
from tests.ingress.conftest import Door, told_in
from tests.ingress.deliveries import NOW, SLUG, paid_intent, snapshot, thin
from tests.ingress.runs import OneEvent
from workflows import contract


def event(event_id: str = "evt_1", object_id: str = "pi_1") -> PaymentEvent:
    """A payment's event."""
    return PaymentEvent(event_id=event_id, type="payment_intent.succeeded", object_id=object_id, created=NOW)


def run_of(client: Client, payment_id: str) -> WorkflowHandle[object, object]:
    """The payment's latest run."""
    return client.get_workflow_handle(contract.payment_workflow_id(SLUG, payment_id))


async def signals(client: Client, payment_id: str) -> list[str]:
    """The ids of the events in the run's history, in order."""
    return told_in(await run_of(client, payment_id).fetch_history())


async def test_a_run_is_started_with_all_it_needs(temporal_client: Client, starter: Starter, payment_id: str) -> None:
    """The run's input names the payment and its organisation; the event is its first signal."""
    await starter.payment_event(SLUG, payment_id, event(object_id="ch_9"), "49.90 EUR")
    first = (await run_of(temporal_client, payment_id).fetch_history()).events[0]
    started = first.workflow_execution_started_event_attributes
    start = PaymentInput.model_validate_json(started.input.payloads[0].data)
    assert (start.connection, start.payment_id, start.organization_id) == (SLUG, payment_id, "10234695")
    assert start.zoho_queue == contract.ZOHO_QUEUE
    assert started.priority.fairness_key == SLUG  # its tasks take turns with those of other shops
    assert await signals(temporal_client, payment_id) == ["evt_1"]


async def test_a_run_reads_well_in_the_list(temporal_client: Client, starter: Starter, payment_id: str) -> None:
    """Its summary is for people, its search attributes hold every id of it."""
    await starter.payment_event(SLUG, payment_id, event(object_id="ch_9"), "49.90 EUR")
    told = await run_of(temporal_client, payment_id).describe()
    number = f"SO-{payment_id.removeprefix('pi_')}"
    assert await told.static_summary() == f"{payment_id} · 49.90 EUR · order {number}"
    found = told.typed_search_attributes
    assert found[contract.BUSINESS_IDS] == [payment_id, number, "ch_9"]
    assert (found[contract.CONNECTION], found[contract.STAGE]) == (SLUG, "received")
    assert found[contract.NEEDS_ATTENTION] is False


async def test_a_long_id_fits_the_summary(temporal_client: Client, starter: Starter) -> None:
    """The server takes 200 bytes of summary; a longer one is cut between characters."""
    payment_id = f"pi_{uuid.uuid4().hex}{'x' * 150}"
    await starter.payment_event(SLUG, payment_id, event(), "49.90 EUR")
    summary = await (await run_of(temporal_client, payment_id).describe()).static_summary()
    assert summary is not None
    assert summary.startswith(f"{payment_id} · ")
    assert len(summary.encode()) <= 200


async def test_an_open_run_hears_further_events(temporal_client: Client, starter: Starter, payment_id: str) -> None:
    """The several events that mean paid meet in one run."""
    for event_id in ("evt_1", "evt_2", "evt_3"):
        assert await starter.payment_event(SLUG, payment_id, event(event_id)) is Started.ACCEPTED
    assert await signals(temporal_client, payment_id) == ["evt_1", "evt_2", "evt_3"]


async def test_a_completed_run_stays_closed(
    temporal_client: Client, starter: Starter, payment_id: str, task_queue: str
) -> None:
    """An event for a payment that is done starts nothing, and is no error."""
    async with Worker(temporal_client, task_queue=task_queue, workflows=[OneEvent]):
        await starter.payment_event(SLUG, payment_id, event())
        assert await run_of(temporal_client, payment_id).result() == [payment_id, "10234695", "evt_1"]
    assert await starter.payment_event(SLUG, payment_id, event("evt_2")) is Started.ALREADY_DONE
    assert await signals(temporal_client, payment_id) == ["evt_1"]


def update(event_id: str, kind: str = "charge.updated") -> PaymentEvent:
    """An event that tells a change of a payment."""
    return PaymentEvent(event_id=event_id, type=kind, object_id="ch_1", created=NOW, changed=("shipping",))


async def test_a_change_wakes_an_open_run_and_begins_none(
    temporal_client: Client, starter: Starter, payment_id: str
) -> None:
    """Signalled where the run is open; a payment of before our time is not carried because somebody edits it."""
    changed = f"evt_{uuid.uuid4().hex}"
    assert await starter.payment_event(SLUG, payment_id, update(changed)) is Started.ACCEPTED
    with pytest.raises(RPCError):
        await run_of(temporal_client, payment_id).describe()
    described = await temporal_client.get_workflow_handle(contract.change_workflow_id(SLUG, changed)).describe()
    assert described.workflow_type == contract.CHANGE_WORKFLOW
    assert {payment_id, changed} <= set(described.typed_search_attributes[contract.BUSINESS_IDS])
    await starter.payment_event(SLUG, payment_id, event())
    assert await starter.payment_event(SLUG, payment_id, update("evt_2")) is Started.ACCEPTED
    assert await signals(temporal_client, payment_id) == ["evt_1", "evt_2"]


async def test_a_change_of_a_completed_payment_has_one_run(
    temporal_client: Client, starter: Starter, payment_id: str, task_queue: str
) -> None:
    """Repeated, the event meets the same run; a capture that was carried already is a change too."""
    async with Worker(temporal_client, task_queue=task_queue, workflows=[OneEvent]):
        await starter.payment_event(SLUG, payment_id, event())
        await run_of(temporal_client, payment_id).result()
    for kind in ("charge.updated", "charge.captured"):
        seen = update(f"evt_{uuid.uuid4().hex}", kind)
        for _ in range(2):
            assert await starter.payment_event(SLUG, payment_id, seen) is Started.ACCEPTED
        change = temporal_client.get_workflow_handle(contract.change_workflow_id(SLUG, seen.event_id))
        first = (await change.fetch_history()).events[0].workflow_execution_started_event_attributes
        assert first.first_execution_run_id == (await change.describe()).run_id


async def test_a_cancellation_begins_nothing(temporal_client: Client, starter: Starter, payment_id: str) -> None:
    """Most cancelled intents are abandoned checkouts."""
    seen = update(f"evt_{uuid.uuid4().hex}", "payment_intent.canceled")
    assert await starter.payment_event(SLUG, payment_id, seen) is Started.ALREADY_DONE
    with pytest.raises(RPCError):
        await run_of(temporal_client, payment_id).describe()


async def test_whether_a_payment_is_open_is_told(temporal_client: Client, starter: Starter, payment_id: str) -> None:
    """No run, an open one, a closed one."""
    assert not await starter.is_open(SLUG, payment_id)
    await starter.payment_event(SLUG, payment_id, event())
    assert await starter.is_open(SLUG, payment_id)
    await run_of(temporal_client, payment_id).terminate("enough")
    assert not await starter.is_open(SLUG, payment_id)


async def test_a_failed_run_is_started_again(temporal_client: Client, starter: Starter, payment_id: str) -> None:
    """An event for a run that did not come through gives it another try."""
    await starter.payment_event(SLUG, payment_id, event())
    first = await run_of(temporal_client, payment_id).describe()
    await run_of(temporal_client, payment_id).terminate("it failed")
    assert await starter.payment_event(SLUG, payment_id, event("evt_2")) is Started.ACCEPTED
    second = await run_of(temporal_client, payment_id).describe()
    assert second.run_id != first.run_id
    assert second.status is WorkflowExecutionStatus.RUNNING


async def test_an_event_is_resolved_once(temporal_client: Client, starter: Starter, task_queue: str) -> None:
    """Resolving is a run named after the event, so a repeated delivery makes no second one."""
    seen = event(f"evt_{uuid.uuid4().hex}", "in_1")
    for _ in range(2):
        assert await starter.resolve_event(SLUG, seen) is Started.ACCEPTED
    workflow_id = contract.resolve_workflow_id(SLUG, seen.event_id)
    history = await temporal_client.get_workflow_handle(workflow_id).fetch_history()
    [started] = [
        one.workflow_execution_started_event_attributes
        for one in history.events
        if one.HasField("workflow_execution_started_event_attributes")
    ]
    assert ResolveInput.model_validate_json(started.input.payloads[0].data).event == seen


async def test_twenty_deliveries_at_once_make_one_run(real_door: Door, payment_id: str) -> None:
    """Deliveries of several events of one payment, doubled and in parallel, meet in one run."""
    bodies = [paid_intent(payment_id, event_id=f"evt_{number}") for number in range(10)] * 2
    answers = await asyncio.gather(*(real_door.deliver(body) for body in bodies))
    assert {answer.status for answer in answers} == {200}
    assert sorted(set(await signals(real_door.client, payment_id))) == [f"evt_{n}" for n in range(10)]
    history = await run_of(real_door.client, payment_id).fetch_history()
    started = history.events[0].workflow_execution_started_event_attributes
    described = await run_of(real_door.client, payment_id).describe()
    assert started.first_execution_run_id == described.run_id
    assert len(await real_door.store.events.list(SLUG, business_id=payment_id)) == 10


async def test_thin_and_snapshot_twins_meet(real_door: Door, payment_id: str) -> None:
    """A thin event and its snapshot twin go to the same run."""
    twin = thin("v1.payment_intent.succeeded", payment_id, "payment_intent", event_id="evt_t")
    charge = snapshot("charge.succeeded", {"id": "ch_1", "payment_intent": payment_id}, event_id="evt_c")
    for body in (json.dumps(twin).encode(), json.dumps(charge).encode()):
        assert (await real_door.deliver(body)).status == 200
    assert await signals(real_door.client, payment_id) == ["evt_t", "evt_c"]


async def test_nothing_personal_reaches_temporal(real_door: Door, payment_id: str) -> None:
    """Names, e-mail and addresses of an event are not passed on."""
    session = {
        "id": "cs_1",
        "payment_intent": payment_id,
        "customer_details": {"email": "canary@example.com", "name": "Canary Bird"},
        "shipping_details": {"address": {"line1": "1 Canary Wharf"}},
    }
    await real_door.deliver(json.dumps(snapshot("checkout.session.completed", session)).encode())
    history = await run_of(real_door.client, payment_id).fetch_history()
    described = await run_of(real_door.client, payment_id).describe()
    assert payment_id in history.to_json()
    assert "canary" not in f"{history.to_json()}{described.raw_description}".lower()


@pytest.fixture
async def silent_server() -> AsyncIterator[str]:
    """An address where connections are taken and nothing is ever said."""
    quiet = asyncio.Event()

    async def listen(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await quiet.wait()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    quiet.set()
    server.close()
    await server.wait_closed()


async def test_a_silent_server_costs_no_more_than_the_patience(
    connections: dict[str, Connection], silent_server: str
) -> None:
    """A Temporal that hangs is given up on in time, so that Stripe hears 503 and not nothing."""
    client = await connect(silent_server, lazy=True)
    starter = Starter(client, connections, patience=timedelta(milliseconds=300))
    begun = time.monotonic()
    with pytest.raises(TryLater):
        await starter.payment_event(SLUG, "pi_1", event())
    assert time.monotonic() - begun < 3


async def test_a_server_that_is_down_is_try_later(connections: dict[str, Connection]) -> None:
    """Without any Temporal a start says so at once."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        client = await connect(f"127.0.0.1:{unused.getsockname()[1]}", lazy=True)
        with pytest.raises(TryLater, match="temporal"):
            await Starter(client, connections).resolve_event(SLUG, event())
        with pytest.raises(TryLater, match="temporal"):
            await Starter(client, connections).adjustment_event(SLUG, "77", ReturnEvent(source="webhook"))


async def test_a_worker_begins_without_temporal(
    connections: dict[str, Connection], caplog: pytest.LogCaptureFixture
) -> None:
    """That lists of returns are not read is said; whether a shop wants them read or no longer."""
    plain = connections[SLUG]
    on = plain.policy.model_copy(update={"returns": ReturnPolicy(trigger=ReturnTrigger.RECEIVED)})
    both = {"off": plain, "on": plain.model_copy(update={"policy": on})}
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        client = await connect(f"127.0.0.1:{unused.getsockname()[1]}", lazy=True)
        await Starter(client, both).poll_all()
    assert [record.message.partition(":")[0] for record in caplog.records] == ["off"] * 3 + ["on"] * 3
