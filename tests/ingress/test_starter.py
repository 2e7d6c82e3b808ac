"""What a real Temporal makes of the events: one run per payment, found by its ids."""

from __future__ import annotations

import asyncio
import json
import socket
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle, WorkflowHistory
from temporalio.service import RPCError
from temporalio.worker import Worker

from clients.connections import Connection
from clients.errors import TryLater
from clients.temporal import connect
from domain.runs import PaymentEvent, PaymentInput, ResolveInput
from ingress.starter import Started, Starter
from tests.ingress.conftest import Door
from tests.ingress.deliveries import NOW, SLUG, paid_intent, snapshot, thin
from tests.ingress.runs import OneDispute, OneEvent, OneRefund
from workflows import contract


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


def event(event_id: str = "evt_1", object_id: str = "pi_1") -> PaymentEvent:
    """A payment's event."""
    return PaymentEvent(event_id=event_id, type="payment_intent.succeeded", object_id=object_id, created=NOW)


def run_of(client: Client, payment_id: str) -> WorkflowHandle[object, object]:
    """The payment's latest run."""
    return client.get_workflow_handle(contract.payment_workflow_id(SLUG, payment_id))


async def signals(client: Client, payment_id: str) -> list[str]:
    """The ids of the events in the run's history, in order."""
    return told_in(await run_of(client, payment_id).fetch_history())


def told_in(history: WorkflowHistory) -> list[str]:
    """The ids of the events that a run was told."""
    told = [
        one.workflow_execution_signaled_event_attributes.input.payloads[0].data
        for one in history.events
        if one.HasField("workflow_execution_signaled_event_attributes")
    ]
    return [str(json.loads(data)["event_id"]) for data in told]


async def test_a_run_is_started_with_all_it_needs(temporal_client: Client, starter: Starter, payment_id: str) -> None:
    """The run's input names the payment and its organisation; the event is its first signal."""
    await starter.payment_event(SLUG, payment_id, event(object_id="ch_9"), "49.90 EUR")
    first = (await run_of(temporal_client, payment_id).fetch_history()).events[0]
    started = first.workflow_execution_started_event_attributes
    start = PaymentInput.model_validate_json(started.input.payloads[0].data)
    assert (start.connection, start.payment_id, start.organization_id) == (SLUG, payment_id, "10234695")
    assert start.zoho_queue == contract.ZOHO_QUEUE
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


def about_case(kind: str, case_id: str, *changed: str) -> PaymentEvent:
    """An event of a refund or a dispute."""
    event_id = f"evt_{uuid.uuid4().hex}"
    return PaymentEvent(event_id=event_id, type=kind, object_id=case_id, created=NOW, changed=changed)


Tell = Callable[[Starter, str, PaymentEvent], Awaitable[Started]]
CASES: list[tuple[str, str, str, Tell]] = [
    (
        contract.REFUND_WORKFLOW,
        "re",
        "refund.created",
        lambda one, case, seen: one.refund_event(SLUG, case, "pi_1", seen),
    ),
    (
        contract.DISPUTE_WORKFLOW,
        "du",
        "charge.dispute.created",
        lambda one, case, seen: one.dispute_event(SLUG, case, "pi_1", seen),
    ),
]


def run_id(case_id: str) -> str:
    """The id of a refund's or a dispute's runs."""
    make = contract.refund_workflow_id if case_id.startswith("re_") else contract.dispute_workflow_id
    return make(SLUG, case_id)


@pytest.mark.parametrize(("workflow", "prefix", "kind", "tell"), CASES, ids=["refund", "dispute"])
async def test_the_events_of_a_case_meet_in_one_run(
    temporal_client: Client, starter: Starter, workflow: str, prefix: str, kind: str, tell: Tell
) -> None:
    """A refund and a dispute each have a run, which knows its payment and hears every event, repeated ones too."""
    case = f"{prefix}_{uuid.uuid4().hex}"
    first, second = about_case(kind, case), about_case(kind, case)
    for seen in (first, second, second):
        assert await tell(starter, case, seen) is Started.ACCEPTED
    handle = temporal_client.get_workflow_handle(run_id(case))
    described, history = await handle.describe(), await handle.fetch_history()
    assert described.workflow_type == workflow
    assert {case, "pi_1"} <= set(described.typed_search_attributes[contract.BUSINESS_IDS])
    started = history.events[0].workflow_execution_started_event_attributes
    given = json.loads(started.input.payloads[0].data)
    assert {given["payment_id"], given.get("refund_id"), given.get("dispute_id")} >= {"pi_1", case}
    assert told_in(history) == [first.event_id, second.event_id, second.event_id]


ENDS = [
    ("refund.created", (), False),
    ("refund.updated", ("metadata.note",), False),
    ("refund.updated", ("status",), True),
    ("charge.refund.updated", ("status",), True),
    ("refund.failed", ("status", "failure_reason"), True),
    ("v1.refund.failed", (), True),
    ("charge.dispute.created", (), False),
    ("charge.dispute.updated", ("evidence",), False),
    ("charge.dispute.updated", ("status",), True),
    ("charge.dispute.funds_withdrawn", (), True),
    ("charge.dispute.funds_reinstated", (), True),
    ("charge.dispute.closed", ("status",), True),
    ("v1.charge.dispute.closed", (), True),
]


@pytest.mark.parametrize(("kind", "changed", "again"), ENDS, ids=[f"{one[0]}-{'-'.join(one[1])}" for one in ENDS])
async def test_a_closed_case_is_opened_again_for_another_end(
    temporal_client: Client, starter: Starter, task_queue: str, kind: str, changed: tuple[str, ...], again: bool
) -> None:
    """A refund that fails weeks after its run has completed is heard; an event that only repeats is not a new run."""
    refund = "refund" in kind
    (_, prefix, opening, tell) = CASES[0 if refund else 1]
    case = f"{prefix}_{uuid.uuid4().hex}"
    handle = temporal_client.get_workflow_handle(run_id(case))
    async with Worker(temporal_client, task_queue=task_queue, workflows=[OneRefund, OneDispute]):
        await tell(starter, case, about_case(opening, case))
        await handle.result()
        first = (await handle.describe()).run_id
        outcome = await tell(starter, case, about_case(kind, case, *changed))
        await handle.result()
    assert outcome is (Started.ACCEPTED if again else Started.ALREADY_DONE)
    assert ((await handle.describe()).run_id != first) is again


BEGINNINGS = ("refund.created", "charge.dispute.created")


@pytest.mark.parametrize(
    ("kind", "changed", "again"),
    [*((kind, changed, again or kind in BEGINNINGS) for kind, changed, again in ENDS), ("charge.refunded", (), False)],
)
async def test_a_case_that_a_person_ended_is_not_begun_by_the_way(
    temporal_client: Client, starter: Starter, kind: str, changed: tuple[str, ...], again: bool
) -> None:
    """Aborted, it was booked by hand: a reference that the bank adds days later, or another refund, begins nothing."""
    (_, prefix, opening, tell) = CASES[0 if "refund" in kind else 1]
    case = f"{prefix}_{uuid.uuid4().hex}"
    await tell(starter, case, about_case(opening, case))
    handle = temporal_client.get_workflow_handle(run_id(case))
    await handle.terminate("aborted")
    outcome = await tell(starter, case, about_case(kind, case, *changed))
    assert outcome is (Started.ACCEPTED if again else Started.ALREADY_DONE)


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
