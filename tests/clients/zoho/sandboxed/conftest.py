"""A sandbox for each test, and a client of its tea shop."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from clients.zoho.client import ZohoClient
from sandbox.serving import serve
from sandbox.zoho.app import make_app
from tests.clients.zoho.sandboxed.shop import SEED, Sandbox


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    running = await serve(make_app())
    async with httpx.AsyncClient() as http:
        one = Sandbox(running.url, http)
        await one.post("/_seed", SEED)
        yield one
    await running.stop()


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[ZohoClient]:
    async with sandbox.client() as one:
        yield one
