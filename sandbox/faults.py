"""Faults as knobs: what a sandbox does wrong on purpose, how often, and to which requests."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

KINDS = {
    "refuse": "answers 400 before anything is applied",
    "lost": "applies, then closes the connection without an answer",
    "rate_limit": "answers 429 before anything is applied",
    "server_error": "answers 500 before anything is applied",
    "timeout": "applies, then answers only after `seconds`",
    "malformed": "applies, then answers 200 with broken JSON",
    "reset": "applies, then resets the connection in the middle of the answer's body",
    "unauthorized": "answers 401 before anything is applied",
    "slow": "waits `seconds`, then applies and answers, also when the caller has left",
    "drop": "closes the connection before anything is applied",
}


@dataclass
class Fault:
    """One fault: skips the first `skip` matching requests, then happens `times` times (None: without end)."""

    fault: str
    method: str = ""
    path: str = ".*"
    times: int | None = 1
    skip: int = 0
    seconds: float = 1.0
    retry_after: float | None = None
    code: int | str | None = None
    hits: int = 0

    def __post_init__(self) -> None:
        if self.fault not in KINDS:
            raise ValueError(f"unknown fault {self.fault!r}; known: {', '.join(KINDS)}")
        re.compile(self.path)

    def meets(self, method: str, path: str) -> bool:
        """Whether this request is one the fault is for and the fault is not used up."""
        left = self.times is None or self.hits < self.times
        return left and self.method.upper() in ("", method) and re.search(self.path, path) is not None


Answer = Callable[[Fault], web.Response]


@dataclass(frozen=True)
class Answers:
    """The bodies a vendor gives to the faults that are answered instead of applied."""

    refuse: Answer
    rate_limit: Answer
    server_error: Answer
    unauthorized: Answer

    def to(self, fault: Fault) -> web.Response:
        """The vendor's answer, with a `Retry-After` where the fault names one."""
        make: dict[str, Answer] = {
            "refuse": self.refuse,
            "rate_limit": self.rate_limit,
            "server_error": self.server_error,
            "unauthorized": self.unauthorized,
        }
        response = make[fault.fault](fault)
        if fault.retry_after is not None:
            response.headers["Retry-After"] = f"{fault.retry_after:g}"
        return response


class Faults:
    """The faults of one program, oldest first; the first that meets a request happens to it.

    Paths that begin with `/_` are the sandbox's own and never suffer.
    """

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Arms `fault`."""
        self._faults.append(fault)

    def clear(self) -> None:
        """Disarms all."""
        self._faults.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that happens to this request, counted as used; None for none."""
        if path.startswith("/_"):
            return None
        for fault in self._faults:
            if not fault.meets(method, path):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.hits += 1
            return fault
        return None

    def middleware(self) -> Middleware:
        """To be the outermost middleware, so that a lost answer is the finished answer."""

        @web.middleware
        async def faulty(request: web.Request, handler: Handler) -> web.StreamResponse:
            fault = self.take(request.method, request.path)
            if fault is None:
                return await handler(request)
            return await self._happen(fault, request, handler)

        return faulty

    async def _happen(self, fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
        if fault.fault == "drop":
            return _hang_up(request)
        if fault.fault == "slow":
            # Read first: of a caller who has left nothing more can be read.
            await request.read()
            await asyncio.sleep(fault.seconds)
            return await handler(request)
        if fault.fault not in ("lost", "timeout", "malformed", "reset"):
            return self._answers.to(fault)
        response = await handler(request)
        if fault.fault == "lost":
            return _hang_up(request)
        if fault.fault == "timeout":
            await asyncio.sleep(fault.seconds)
            return response
        if fault.fault == "reset":
            return await _break_off(request, response)
        return web.Response(text='{"half": "an ans', content_type="application/json")

    def routes(self) -> list[web.RouteDef]:
        """`/_faults`: GET lists, POST arms one or a list, DELETE disarms all."""
        return [
            web.get("/_faults", self._list),
            web.post("/_faults", self._post),
            web.delete("/_faults", self._delete),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response({"faults": [asdict(fault) for fault in self._faults]})

    async def _post(self, request: web.Request) -> web.Response:
        body = await request.json()
        try:
            added = [_parse(row) for row in (body if isinstance(body, list) else [body])]
        except (TypeError, ValueError, re.error) as error:
            return web.json_response({"error": str(error)}, status=400)
        self._faults.extend(added)
        return await self._list(request)

    async def _delete(self, request: web.Request) -> web.Response:
        self.clear()
        return await self._list(request)


def _parse(row: dict[str, Any]) -> Fault:
    known = {field.name for field in fields(Fault)} - {"hits"}
    unknown = sorted(set(row) - known)
    if unknown:
        raise ValueError(f"a fault has no {', '.join(unknown)}; it has {', '.join(sorted(known))}")
    return Fault(**row)


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.close()
    # Nobody reads this: the connection is closed, the server only needs an object to finish with.
    return web.Response()


async def _break_off(request: web.Request, whole: web.StreamResponse) -> web.StreamResponse:
    """Half of the answer's body, then a reset instead of the other half."""
    body = whole.body if isinstance(whole, web.Response) and isinstance(whole.body, bytes) else b"{}"
    broken = web.StreamResponse(status=whole.status)
    broken.content_type = whole.content_type
    broken.content_length = len(body)
    await broken.prepare(request)
    await broken.write(body[: len(body) // 2])
    if request.transport is not None:
        # Without lingering the system sends RST and no orderly end.
        end: socket.socket = request.transport.get_extra_info("socket")
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return broken
