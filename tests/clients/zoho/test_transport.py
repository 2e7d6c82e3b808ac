"""Real sockets: what was surely not sent, what may have been, and how long anything may take."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from clients.errors import OutcomeUnknown, TryLater, Unreachable
from clients.zoho.codec import Answer, Request
from clients.zoho.transport import exchange, open_http

Server = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
READ = Request("GET", "/items", {"sku": "A B&c"})
WRITE = Request("POST", "/items", body={"name": "é"})


@asynccontextmanager
async def serving(handler: Server) -> AsyncIterator[str]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def sent(request: Request, base: str, seconds: float = 5.0) -> Answer:
    async with open_http() as http:
        return await exchange(http, request, base=base, headers={"X-Mine": "1"}, seconds=seconds)


async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")


async def breaks_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{")
    await writer.drain()


async def speaks_nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"hello\r\n\r\n")
    await writer.drain()


async def trickles(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b" ")
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("request_", [READ, WRITE], ids=str)
async def test_without_a_listener_nothing_was_sent(request_: Request) -> None:
    """A port that nobody listens on: Unreachable, for a write too."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable, match="no connection to http://127"):
            await sent(request_, f"http://127.0.0.1:{taken.getsockname()[1]}")


async def test_an_unknown_host_is_unreachable() -> None:
    """A name that resolves to nothing: nothing was sent."""
    with pytest.raises(Unreachable):
        await sent(WRITE, "http://nowhere.invalid")


@pytest.mark.parametrize("server", [hangs_up, breaks_off, speaks_nonsense])
async def test_a_connection_that_breaks_leaves_a_write_unknown(server: Server) -> None:
    """Without an answer, within it or with nonsense: a write may have happened, a read may be repeated."""
    async with serving(server) as base:
        with pytest.raises(OutcomeUnknown, match="the connection broke"):
            await sent(WRITE, base)
        with pytest.raises(TryLater, match="the connection broke") as caught:
            await sent(READ, base)
        assert type(caught.value) is TryLater


async def test_a_trickling_answer_is_cut_off() -> None:
    """The whole exchange is bounded, not each of its reads."""
    async with serving(trickles) as base:
        with pytest.raises(OutcomeUnknown, match=r"no answer within 0\.2 s"):
            await sent(WRITE, base, seconds=0.2)


async def test_a_full_pool_means_nothing_was_sent() -> None:
    """A call that got no connection in time is Unreachable while another one uses the only one."""
    async with serving(trickles) as base:
        limits = httpx.Limits(max_connections=1)
        async with httpx.AsyncClient(limits=limits, timeout=httpx.Timeout(None, pool=0.05)) as http:
            first = asyncio.create_task(exchange(http, WRITE, base=base, headers={}, seconds=0.5))
            await asyncio.sleep(0)
            with pytest.raises(Unreachable, match="PoolTimeout"):
                await exchange(http, WRITE, base=base, headers={}, seconds=5)
            with pytest.raises(OutcomeUnknown):
                await first


async def test_addresses_with_peoples_data_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Even with everything logged, a query's e-mail is in no line."""
    caplog.set_level(logging.DEBUG)
    async with serving(breaks_off) as base:
        with pytest.raises(TryLater):
            await sent(Request("GET", "/contacts", {"email": "ann@example.com"}), base)
    assert "contacts" not in caplog.text
    assert "ann" not in caplog.text


async def test_a_request_arrives_whole() -> None:
    """Method, query, headers and JSON body are on the wire; the answer's header names are lower case."""
    seen = bytearray()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        seen.extend(head)
        if head.startswith(b"POST"):
            seen.extend(await reader.readuntil(b"}"))
        writer.write(b"HTTP/1.1 201 Created\r\nX-Rate-Limit-Limit: 7\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()

    async with serving(echo) as base:
        answer = await sent(WRITE, base)
        await sent(READ, base)
    text = seen.decode()
    assert text.startswith("POST /items HTTP/1.1")
    assert "Content-Type: application/json" in text
    assert "X-Mine: 1" in text
    assert '{"name":"\\u00e9"}' in text
    assert "GET /items?sku=A+B%26c HTTP/1.1" in text
    assert (answer.status, answer.headers["x-rate-limit-limit"], answer.content) == (201, "7", b"{}")
