"""A Stripe of a few fixed answers, which keeps every request it was sent."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from multidict import CIMultiDict

SAMPLES = Path(__file__).parent / "samples"
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def sample(name: str) -> Any:
    """One recorded or built answer of the samples folder."""
    return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def listed(*rows: Any, has_more: bool = False) -> dict[str, Any]:
    """Stripe's list envelope around `rows`."""
    return {"object": "list", "url": "/v1/things", "has_more": has_more, "data": list(rows)}


@dataclass(frozen=True)
class Sent:
    """One request as the fake saw it; `query` and `form` keep repeated keys in order."""

    method: str
    path: str
    query: list[tuple[str, str]]
    form: list[tuple[str, str]]
    headers: CIMultiDict[str]

    def params(self) -> dict[str, Any]:
        """Query and form as the nested object that `a[b][0]` spells."""
        params: dict[str, Any] = {}
        for name, value in (*self.query, *self.form):
            *path, last = name.replace("]", "").split("[")
            place = params
            for key in path:
                place = place.setdefault(key, {})
            place[last] = value
        return params


class FakeStripe:
    """Answers by method and path; what it does not know is Stripe's own 404."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self._answers: dict[str, Any] = {}

    def on(self, route: str, answer: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """`route` is "GET /v1/…"; `answer` is JSON, or a coroutine function of the request."""
        self._answers[route] = answer if callable(answer) else (status, answer, headers or {})

    def paths(self) -> list[str]:
        """Method and path of every request, in order."""
        return [f"{one.method} {one.path}" for one in self.sent]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Keeps the request and answers it."""
        form = [(key, str(value)) for key, value in (await request.post()).items()]
        query = list(request.query.items())
        self.sent.append(Sent(request.method, request.path, query, form, CIMultiDict(request.headers)))
        answer = self._answers.get(f"{request.method} {request.path}")
        if answer is None:
            missing = {"type": "invalid_request_error", "code": "resource_missing", "message": "No such thing"}
            return web.json_response({"error": missing}, status=404, headers={"Request-Id": "req_1"})
        if callable(answer):
            reply: web.StreamResponse = await answer(request)
            return reply
        status, body, headers = answer
        return web.json_response(body, status=status, headers=headers)
