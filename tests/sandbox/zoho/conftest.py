"""One running Zoho sandbox for these tests; each test starts with a fresh shop."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest_asyncio

from sandbox.serving import serve
from sandbox.zoho.app import make_app
from tests.sandbox.zoho.shop import Shop


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sandbox_url() -> AsyncIterator[str]:
    """The address of the running program."""
    running = await serve(make_app())
    yield running.url
    await running.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def shop(sandbox_url: str) -> AsyncIterator[Shop]:
    """A shop with three items, some taxes, two foreign currencies and a token."""
    async with httpx.AsyncClient(base_url=sandbox_url) as http:
        opened = Shop(http)
        await opened.open()
        yield opened
