"""One plugin for client, worker and replayer; encryption that leaves nothing readable."""

from __future__ import annotations

import socket
import time
import uuid
from datetime import timedelta

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import SearchAttributeKey
from temporalio.exceptions import ApplicationError
from temporalio.worker import Replayer, Worker

from cli.temporal_server import TemporalServer
from clients.keys import KeyRing, UnknownKey
from clients.temporal import (
    EncryptionCodec,
    ThroughlinePlugin,
    add_search_attributes,
    connect,
    data_converter,
    is_ready,
    missing_search_attributes,
)
from domain.money import Money
from tests.clients.echo import Echo, Failing
from workflows.contract import SEARCH_ATTRIBUTES

CANARY = "canary-4242"


@pytest.fixture
def keys() -> KeyRing:
    """A ring of one key."""
    return KeyRing.generate()


async def test_models_cross_temporal_as_they_are(temporal_client: Client) -> None:
    """A model goes in and comes out, its amount exact."""
    queue = f"echo-{uuid.uuid4()}"
    async with Worker(temporal_client, task_queue=queue, workflows=[Echo]):
        said = await temporal_client.execute_workflow(Echo.run, Money.of(4990, "eur"), id=queue, task_queue=queue)
    assert said == Money.of(4990, "EUR")


async def test_encrypted_failures_leave_nothing_readable(temporal_server: TemporalServer, keys: KeyRing) -> None:
    """Input, error message and stack trace are sealed in history, and read back by who has the key."""
    client = await connect(temporal_server.address, temporal_server.namespace, keys=keys)
    queue = f"sealed-{uuid.uuid4()}"
    async with Worker(client, task_queue=queue, workflows=[Failing]):
        with pytest.raises(WorkflowFailureError) as caught:
            await client.execute_workflow(Failing.run, CANARY, id=queue, task_queue=queue)
    assert isinstance(caught.value.cause, ApplicationError)
    assert CANARY in caught.value.cause.message
    history = await client.get_workflow_handle(queue).fetch_history()
    raw = b"".join(event.SerializeToString() for event in history.events)
    assert b"Encoded failure" in raw
    assert CANARY.encode() not in raw
    assert b"echo.py" not in raw


async def test_a_replayer_reads_with_the_same_plugin(temporal_server: TemporalServer, keys: KeyRing) -> None:
    """An encrypted history replays with the plugin alone."""
    client = await connect(temporal_server.address, temporal_server.namespace, keys=keys)
    queue = f"replay-{uuid.uuid4()}"
    async with Worker(client, task_queue=queue, workflows=[Echo]):
        await client.execute_workflow(Echo.run, Money.of(1, "jpy"), id=queue, task_queue=queue)
    history = await client.get_workflow_handle(queue).fetch_history()
    result = await Replayer(workflows=[Echo], plugins=[ThroughlinePlugin(keys)]).replay_workflow(history)
    assert result.replay_failure is None


async def test_a_payload_names_its_key_and_survives_rotation(keys: KeyRing) -> None:
    """What was sealed under an older key opens while the ring still holds it, and not after."""
    [clear] = await data_converter().encode(["secret"])
    [sealed] = await EncryptionCodec(keys).encode([clear])
    assert sealed.metadata["encryption-key-id"] == keys.current.encode()
    assert b"secret" not in sealed.SerializeToString()
    rotated = keys.rotated("k2")
    assert await EncryptionCodec(rotated).decode([sealed]) == [clear]
    with pytest.raises(UnknownKey):
        await EncryptionCodec(KeyRing.generate("k3")).decode([sealed])


async def test_a_payload_in_clear_is_still_read(keys: KeyRing) -> None:
    """A signal from Temporal's own command line is in clear, and passes."""
    payload = Payload(metadata={"encoding": b"json/plain"}, data=b'"resume"')
    assert await EncryptionCodec(keys).decode([payload]) == [payload]


async def test_ready_means_server_and_namespace(temporal_server: TemporalServer, temporal_client: Client) -> None:
    """A server without our namespace is not ready."""
    assert await is_ready(temporal_client)
    assert not await is_ready(await connect(temporal_server.address, "nowhere"))


async def test_ready_gives_up_in_time() -> None:
    """No server, or one that never answers, is not ready within the time given."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        assert not await is_ready(await connect(address, lazy=True))
        silent.listen()
        begun = time.monotonic()
        assert not await is_ready(await connect(address, lazy=True), timedelta(milliseconds=200))
        assert time.monotonic() - begun < 3


async def test_missing_search_attributes_are_added_once(temporal_client: Client) -> None:
    """What the namespace lacks is named, added, and then no longer lacking; ours are there."""
    key = SearchAttributeKey.for_keyword("Added" + uuid.uuid4().hex[:6])
    assert await missing_search_attributes(temporal_client, [key, *SEARCH_ATTRIBUTES]) == [key]
    assert await add_search_attributes(temporal_client, [key]) == [key.name]
    assert await add_search_attributes(temporal_client, [key]) == []


async def test_an_attribute_of_another_type_is_missing(temporal_client: Client) -> None:
    """A name that exists with another type does not serve."""
    wrong = SearchAttributeKey.for_int("NeedsAttention")
    assert await missing_search_attributes(temporal_client, [wrong]) == [wrong]
