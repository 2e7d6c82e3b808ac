"""How much a stranger can take: connections, time, and tricks with HTTP itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from temporalio.client import Client

from clients.connections import Connection
from clients.store import Store
from ingress.app import make_app
from ingress.run import serving
from tests.ingress.conftest import LIMITS, Door, NoteTaker, new_session
from tests.ingress.deliveries import NOW, SLUG, paid_intent, sign

PAID = paid_intent("pi_1")
Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def wire(door: Door) -> Wire:
    """A bare connection to the door."""
    address = urlsplit(door.url)
    return await asyncio.open_connection(address.hostname, address.port)


async def said(connection: Wire) -> bytes:
    """All that the door says before it closes."""
    reader, writer = connection
    try:
        return await reader.read()
    finally:
        writer.close()


HALF_OPEN = {
    "silent": b"",
    "half a request line": b"POST /webhooks",
    "half the head": b"POST /webhooks/stripe/shop HTTP/1.1\r\nHost: x\r\nStripe-Sig",
}


@pytest.mark.parametrize("sent", HALF_OPEN.values(), ids=HALF_OPEN)
async def test_a_half_open_connection_is_closed(door: Door, sent: bytes) -> None:
    """Who does not bring a whole request head in time is shown out."""
    connection = await wire(door)
    connection[1].write(sent)
    async with asyncio.timeout(5):
        assert await said(connection) == b""


async def test_a_dripping_head_is_closed(door: Door) -> None:
    """Sending a header now and then does not buy more time."""
    reader, writer = await wire(door)
    writer.write(b"POST /webhooks/stripe/shop HTTP/1.1\r\nHost: x\r\n")
    closed = asyncio.create_task(reader.read())
    for _ in range(100):
        writer.write(b"X-Drip: 1\r\n")
        await asyncio.wait([closed], timeout=0.05)
        if closed.done():
            break
    writer.close()
    assert closed.done()
    assert isinstance(closed.exception(), ConnectionError) or closed.result() == b""


async def test_half_open_connections_do_not_keep_stripe_out(door: Door, notes: NoteTaker) -> None:
    """While 300 connections hang half open, real events are answered promptly."""
    hanging = [await wire(door) for _ in range(300)]
    for _, writer in hanging:
        writer.write(b"POST /webhooks/stripe/shop HTTP/1.1\r\nHost: x\r\n")
    begun = time.monotonic()
    for _ in range(20):
        assert (await door.deliver(PAID)).status == 200
    assert (time.monotonic() - begun) / 20 < 1
    for _, writer in hanging:
        writer.close()
    assert len(notes.told) == 20


@pytest.fixture
async def narrow_door(
    connections: dict[str, Connection], store: Store, notes: NoteTaker, temporal_client: Client
) -> AsyncIterator[Door]:
    """A door for three, whose guests may otherwise stay long."""
    limits = replace(LIMITS, connections=3, header_seconds=60.0, sweep_seconds=0.05)
    app = make_app(connections, temporal_client, store, starter=notes, now=lambda: NOW, limits=limits)
    async with serving(app, "127.0.0.1", 0) as url, new_session() as session:
        yield Door(url, session, store, temporal_client)


async def test_too_many_connections_cost_the_oldest_idle_one(narrow_door: Door, notes: NoteTaker) -> None:
    """Above the cap the oldest that wait are closed; one whose request is being answered never is."""
    notes.gate = asyncio.Event()
    busy = asyncio.create_task(narrow_door.deliver(PAID))
    async with asyncio.timeout(5):
        await notes.entered.wait()
    oldest, *others = [await wire(narrow_door) for _ in range(4)]
    async with asyncio.timeout(5):
        assert await said(oldest) == b""
    notes.gate.set()
    assert (await busy).status == 200
    for _, writer in others:
        writer.close()


async def test_a_full_ingress_refuses_at_once(
    connections: dict[str, Connection], store: Store, notes: NoteTaker, temporal_client: Client
) -> None:
    """While Temporal keeps as many waiting as we take, one more hears 503 and does not wait."""
    notes.gate = asyncio.Event()
    limits = replace(LIMITS, at_hand=1)
    app = make_app(connections, temporal_client, store, starter=notes, now=lambda: NOW, limits=limits)
    async with serving(app, "127.0.0.1", 0) as url, new_session() as session:
        door = Door(url, session, store, temporal_client)
        first = asyncio.create_task(door.deliver(PAID))
        async with asyncio.timeout(5):
            await notes.entered.wait()
            assert (await door.deliver(PAID)).status == 503
        assert await door.counted("busy") == 1
        notes.gate.set()
        assert (await first).status == 200
        assert (await door.deliver(PAID)).status == 200


def request(*headers: str, body: bytes = PAID) -> bytes:
    """A signed request with these framing headers, as it goes over the wire."""
    head = [f"POST /webhooks/stripe/{SLUG} HTTP/1.1", "Host: x", f"Stripe-Signature: {sign(PAID)}"]
    return "\r\n".join([*head, "Connection: close", *headers, "", ""]).encode() + body


LENGTH = f"Content-Length: {len(PAID)}"
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(PAID), PAID)
SMUGGLED = {
    "length and chunked": request(LENGTH, "Transfer-Encoding: chunked", body=CHUNKED),
    "two lengths": request(LENGTH, "Content-Length: 5"),
    "negative length": request("Content-Length: -1"),
    "length with sign": request(f"Content-Length: +{len(PAID)}"),
    "space before colon": request(LENGTH, "X-A : 1"),
    "folded header": request(LENGTH, "X-A: 1\r\n  2"),
    "nul in a header": request(LENGTH, "X-A: \0"),
    "odd encoding": request("Transfer-Encoding: xchunked", body=CHUNKED),
    "chunked not last": request("Transfer-Encoding: chunked, identity", body=CHUNKED),
    "bad chunk size": request("Transfer-Encoding: chunked", body=b"0x10\r\n" + PAID),
    "bare line feeds": request(LENGTH).replace(b"\r\n", b"\n"),
}


@pytest.mark.parametrize("raw", SMUGGLED.values(), ids=SMUGGLED)
async def test_ambiguous_framing_is_refused(door: Door, notes: NoteTaker, raw: bytes) -> None:
    """A request that two servers could read in two ways is 400, though its signature is right."""
    connection = await wire(door)
    connection[1].write(raw)
    async with asyncio.timeout(5):
        answer = await said(connection)
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400"))
    assert notes.told == []


async def test_plain_framings_pass(door: Door, notes: NoteTaker) -> None:
    """The same request with a length, or in chunks, is a delivery like any other."""
    for raw in (request(LENGTH), request("Transfer-Encoding: chunked", body=CHUNKED)):
        connection = await wire(door)
        connection[1].write(raw)
        assert (await said(connection)).startswith(b"HTTP/1.1 200")
    assert len(notes.told) == 2


async def test_a_body_that_breaks_off_starts_nothing(door: Door, notes: NoteTaker) -> None:
    """A sender that hangs up in the middle leaves no trace, and the door stays open for others."""
    reader, writer = await wire(door)
    writer.write(request(LENGTH)[:-20])
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert notes.told == []
    assert (await door.deliver(PAID)).status == 200
    assert len(notes.told) == 1
    assert reader.at_eof()


async def test_a_forwarded_address_changes_nothing(door: Door) -> None:
    """No header of a sender's own making is trusted, nor repeated in an answer."""
    headers = {"X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1", "X-Request-Id": "inject"}
    url = f"{door.url}/webhooks/stripe/{SLUG}"
    async with door.session.post(url, data=PAID, headers=headers) as answer:
        assert answer.status == 400
        assert "inject" not in f"{answer.headers}{await answer.text()}"
