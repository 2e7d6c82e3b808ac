"""A clock that moves when told, and a Zoho of recorded answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from clients.connections import ZohoAccount
from clients.errors import ClientError
from clients.zoho.client import ZohoClient
from clients.zoho.codec import JsonObject, encode
from clients.zoho.tokens import MemoryTokens, TokenStore

ORGANIZATION = "10234695"
ACCOUNTS = "https://accounts.zoho.com"
Reply = httpx.Response | type[Exception] | Callable[[httpx.Request], httpx.Response]


class Clock:
    """Time that passes by `sleep` and by hand only."""

    def __init__(self) -> None:
        self.time = datetime(2026, 10, 9, 18, 26, 45, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)
        await asyncio.sleep(0)


def answer(body: JsonObject, status: int = 200, /, **headers: str) -> httpx.Response:
    """An answer of Zoho's."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, content=encode({"code": 0, "message": "success"} | body), headers=names)


def refusal(status: int, code: int, message: str, **headers: str) -> httpx.Response:
    """A refusal of Zoho's."""
    return answer({"code": code, "message": message}, status, **headers)


class Zoho:
    """Hands out tokens and answers calls as told: first reply first, the last one for ever."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.grants: list[Reply] = []
        self.calls: list[httpx.Request] = []
        self.refreshes: list[httpx.Request] = []
        self.lifetime = 3600

    def says(self, *replies: Reply) -> None:
        self.replies = list(replies)

    async def handle(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        if request.url.path == "/oauth/v2/token":
            self.refreshes.append(request)
            if self.grants:
                return self._play(self.grants, request)
            grant: JsonObject = {
                "access_token": f"token-{len(self.refreshes)}",
                "api_domain": "https://www.zohoapis.com",
                "token_type": "Bearer",
                "expires_in": self.lifetime,
            }
            return httpx.Response(200, content=encode(grant))
        self.calls.append(request)
        return self._play(self.replies, request)

    def _play(self, replies: list[Reply], request: httpx.Request) -> httpx.Response:
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if isinstance(reply, httpx.Response):
            return httpx.Response(reply.status_code, headers=reply.headers, content=reply.content)
        if isinstance(reply, type):
            raise reply("as told")
        return reply(request)

    @asynccontextmanager
    async def client(self, clock: Clock, tokens: TokenStore | None = None, **account: Any) -> AsyncIterator[ZohoClient]:
        async with httpx.AsyncClient(transport=httpx.MockTransport(self.handle)) as http:
            yield ZohoClient.of(
                an_account(**account),
                tokens or MemoryTokens(),
                http,
                connection="shop",
                now=clock.now,
                sleep=clock.sleep,
            )


def an_account(**fields: Any) -> ZohoAccount:
    """An account of an organisation in the United States, with `fields` of its own."""
    return ZohoAccount(
        organization_id=fields.pop("organization_id", ORGANIZATION),
        client_id=fields.pop("client_id", "1000.CLIENT"),
        client_secret=SecretStr("the-client-secret"),
        refresh_token=SecretStr("the-refresh-token"),
        **fields,
    )


def grant(token: str) -> httpx.Response:
    """An answer of the token server."""
    return httpx.Response(200, content=encode({"access_token": token, "expires_in": 3600}))


async def failure(client: ZohoClient) -> ClientError:
    """What a call that fails fails with."""
    with pytest.raises(ClientError) as caught:
        await client.list_taxes()
    return caught.value


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def zoho() -> Zoho:
    return Zoho()


@pytest.fixture
async def client(zoho: Zoho, clock: Clock) -> AsyncIterator[ZohoClient]:
    async with zoho.client(clock) as one:
        yield one
