"""Faults happen to the requests they are for, as often as they say, and applied or not as their name says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from sandbox.faults import Answers, Fault, Faults
from sandbox.serving import PortBusy, serve


class Counter:
    """A program whose only state is how often it was written to, under faults."""

    def __init__(self) -> None:
        self.writes = 0
        self.written = asyncio.Event()
        self.url = ""
        self.session: aiohttp.ClientSession

    async def write(self, request: web.Request) -> web.Response:
        """One write."""
        self.writes += 1
        self.written.set()
        return web.json_response({"writes": self.writes})

    async def arm(self, fault: str, **more: Any) -> None:
        """Arms one fault."""
        async with self.session.post(f"{self.url}/_faults", json={"fault": fault, **more}) as response:
            assert response.status == 200

    async def post(self, path: str = "/write") -> tuple[int, str]:
        """Status and body of one write on a new connection, since a client may repeat on a used one."""
        headers = {"Connection": "close"}
        async with self.session.post(self.url + path, headers=headers) as response:
            return response.status, await response.text()


def _answer(status: int) -> Any:
    return lambda fault: web.json_response({"code": fault.code}, status=status)


@pytest.fixture
async def counter() -> AsyncIterator[Counter]:
    counter = Counter()
    faults = Faults(Answers(_answer(400), _answer(429), _answer(500), _answer(401)))
    app = web.Application(middlewares=[faults.middleware()])
    app.add_routes([web.post("/write", counter.write), web.post("/other", counter.write), *faults.routes()])
    running = await serve(app)
    counter.url = running.url
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
        counter.session = session
        yield counter
    await running.stop()


@pytest.mark.parametrize(
    ("fault", "status"), [("refuse", 400), ("rate_limit", 429), ("server_error", 500), ("unauthorized", 401)]
)
async def test_an_answered_fault_applies_nothing(counter: Counter, fault: str, status: int) -> None:
    """The vendor's refusal comes once, nothing is written, and the next request is well."""
    await counter.arm(fault, code=7)
    assert await counter.post() == (status, '{"code": 7}')
    assert counter.writes == 0
    assert (await counter.post())[0] == 200


async def test_a_rate_limit_says_when_to_come_back(counter: Counter) -> None:
    """`retry_after` becomes the header."""
    await counter.arm("rate_limit", retry_after=2)
    async with counter.session.post(f"{counter.url}/write") as response:
        assert response.headers["Retry-After"] == "2"


@pytest.mark.parametrize(("fault", "writes"), [("lost", 1), ("drop", 0)])
async def test_a_closed_connection_may_or_may_not_have_applied(counter: Counter, fault: str, writes: int) -> None:
    """`lost` writes and `drop` does not; the caller cannot tell them apart."""
    await counter.arm(fault)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await counter.post()
    assert counter.writes == writes


async def test_a_malformed_answer_was_applied(counter: Counter) -> None:
    """200 with half a JSON, after the write."""
    await counter.arm("malformed")
    status, text = await counter.post()
    assert (status, text, counter.writes) == (200, '{"half": "an ans', 1)


async def test_a_reset_comes_in_the_middle_of_the_body(counter: Counter) -> None:
    """The status is there, the write has happened, and the body never ends."""
    await counter.arm("reset")
    async with counter.session.post(f"{counter.url}/write") as response:
        assert response.status == 200
        with pytest.raises(aiohttp.ClientError):
            await response.read()
    assert counter.writes == 1
    assert (await counter.post())[1] == '{"writes": 2}'


async def test_a_timeout_is_applied_before_the_caller_gives_up(counter: Counter) -> None:
    """The write has happened when the caller stops waiting."""
    await counter.arm("timeout", seconds=30)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await counter.post()
    assert counter.writes == 1


async def test_a_slow_write_is_applied_although_the_caller_left(counter: Counter) -> None:
    """`slow` commits after the caller has given up."""
    await counter.arm("slow", seconds=0.3)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await counter.post()
    assert counter.writes == 0
    async with asyncio.timeout(5):
        await counter.written.wait()


async def test_skip_times_method_and_path_choose_the_requests(counter: Counter) -> None:
    """A fault lets `skip` requests pass, happens `times` times, and only where method and path match."""
    await counter.arm("refuse", path="^/write$", method="post", skip=1, times=2)
    statuses = [(await counter.post(path))[0] for path in ("/write", "/other", "/write", "/write", "/write")]
    assert statuses == [200, 200, 400, 400, 200]
    async with counter.session.get(f"{counter.url}/_faults") as response:
        (shown,) = (await response.json())["faults"]
    assert shown["hits"] == 2


async def test_a_fault_without_end_lasts_until_it_is_cleared(counter: Counter) -> None:
    """`times: null` goes on; DELETE ends all faults."""
    await counter.arm("refuse", times=None)
    assert [(await counter.post())[0] for _ in range(5)] == [400] * 5
    async with counter.session.delete(f"{counter.url}/_faults") as response:
        assert (await response.json()) == {"faults": []}
    assert (await counter.post())[0] == 200


async def test_an_unknown_fault_is_refused(counter: Counter) -> None:
    """A wrong name is an error that says the known ones."""
    for wrong in ({"fault": "explode"}, {"fault": "lost", "color": 1}, {"fault": "lost", "path": "("}, {}):
        async with counter.session.post(f"{counter.url}/_faults", json=wrong) as response:
            assert response.status == 400
            assert (await response.json())["error"]


def test_the_sandboxs_own_doors_never_suffer() -> None:
    """A fault for everything does not meet `/_…`."""
    faults = Faults(Answers(_answer(400), _answer(429), _answer(500), _answer(401)))
    faults.add(Fault("refuse", times=None))
    assert faults.take("GET", "/_ledger") is None
    assert faults.take("GET", "/v1/charges") is not None


async def test_a_taken_port_is_named(counter: Counter) -> None:
    """Listening where another listens is one clear error."""
    port = int(counter.url.rsplit(":", 1)[1])
    with pytest.raises(PortBusy, match=str(port)):
        await serve(web.Application(), port=port)
