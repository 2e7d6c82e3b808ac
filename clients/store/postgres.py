"""The store on a PostgreSQL server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Executable, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from clients.store.database import PATIENCE_SECONDS, Database, Rows, store_errors
from clients.store.upgrade import upgrade

T = TypeVar("T")

_CONNECTIONS = 8


class PostgresDatabase(Database):
    """A server, through asyncpg. Every write is a transaction of its own on one of a few connections."""

    def __init__(self, url: URL) -> None:
        self._writing: AsyncEngine = create_async_engine(
            url.set(drivername="postgresql+asyncpg"),
            pool_size=_CONNECTIONS,
            pool_timeout=PATIENCE_SECONDS,
            connect_args={"command_timeout": PATIENCE_SECONDS, "timeout": PATIENCE_SECONDS},
            hide_parameters=True,
        )
        self._reading = self._writing.execution_options(isolation_level="AUTOCOMMIT")
        self._under_way: set[asyncio.Task[Any]] = set()

    async def prepare(self) -> None:
        """Bring the database to this release's tables."""
        await self.write(upgrade)

    async def read(self, statement: Executable, **values: object) -> Rows:
        """The rows, each statement its own snapshot."""
        with store_errors():
            async with self._reading.connect() as connection:
                return (await connection.execute(statement, values)).all()

    async def write(self, work: Callable[[Connection], T]) -> T:
        """One transaction, in a task that outlives a cancelled caller."""
        task = asyncio.create_task(self._write(work))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Wait for the transactions under way."""
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self._writing.dispose()

    def insert(self, table: Table) -> postgresql.Insert:
        """PostgreSQL's insert."""
        return postgresql.insert(table)

    async def _write(self, work: Callable[[Connection], T]) -> T:
        with store_errors():
            async with self._writing.begin() as connection:
                return await connection.run_sync(work)
