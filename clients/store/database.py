"""One database, two kinds of visit: a read that holds nothing, a write that is one short transaction."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from filelock import FileLock, Timeout
from sqlalchemy import URL, Connection, Engine, Executable, Row, Table, create_engine, event, make_url
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from clients.errors import SettingsError, TryLater, Unreachable
from clients.store.upgrade import upgrade

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

T = TypeVar("T")
Rows = Sequence[Row[Any]]

# How long a writer waits for another process's transaction; below an activity's 45 s.
PATIENCE_SECONDS = 20.0
_READERS = 4


class Database(ABC):
    """What both databases do. Work is a plain function of a SQLAlchemy connection, the same for both."""

    @abstractmethod
    async def prepare(self) -> None:
        """Bring the database to this release's tables. TryLater."""

    @abstractmethod
    async def read(self, statement: Executable, **values: object) -> Rows:
        """The statement's rows, outside any transaction. TryLater."""

    @abstractmethod
    async def write(self, work: Callable[[Connection], T]) -> T:
        """`work`'s answer when all it did is committed; nothing of it happened where this raises. TryLater.

        A caller that is cancelled leaves the transaction whole: it is committed, or never began.
        """

    @abstractmethod
    async def close(self) -> None:
        """End what is under way, then every connection and thread."""

    @abstractmethod
    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An insert that knows `on_conflict_…`, which both databases spell alike."""

    async def execute(self, statement: Executable, values: dict[str, Any]) -> None:
        """A write of one statement."""

        def work(connection: Connection) -> None:
            connection.execute(statement, values)

        await self.write(work)


class SqliteDatabase(Database):
    """A file. One thread writes, so the writes of a process take turns; others read, and never wait (WAL).

    Work runs in a thread as a whole: a transaction costs one hop. Through aiosqlite, which hops for each
    call, an intent and its completion took 5.2 ms instead of 0.7.
    """

    def __init__(self, url: URL) -> None:
        self._file = Path(url.database or "").absolute()
        self._reading, self._writing = (_sqlite_engine(self._file, size) for size in (_READERS, 1))
        event.listen(self._writing, "begin", _begin_immediate)
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="store-read")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store-write")

    async def prepare(self) -> None:
        """Bring the file to this release's tables."""
        await asyncio.get_running_loop().run_in_executor(self._writer, self._prepare)

    async def read(self, statement: Executable, **values: object) -> Rows:
        """The rows, read in a thread."""
        work = partial(self._read, statement, values)
        return await asyncio.get_running_loop().run_in_executor(self._readers, work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """One transaction in the writing thread."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, self._write, work)

    async def close(self) -> None:
        """Wait for both kinds of threads."""
        for pool, engine in ((self._readers, self._reading), (self._writer, self._writing)):
            await asyncio.to_thread(pool.shutdown)
            engine.dispose()

    def insert(self, table: Table) -> sqlite.Insert:
        """SQLite's insert."""
        return sqlite.insert(table)

    def _read(self, statement: Executable, values: dict[str, object]) -> Rows:
        with store_errors(), self._reading.connect() as connection:
            return connection.execute(statement, values).all()

    def _write(self, work: Callable[[Connection], T]) -> T:
        with store_errors(), self._writing.begin() as connection:
            return work(connection)

    def _prepare(self) -> None:
        with store_errors():
            self._file.parent.mkdir(parents=True, exist_ok=True)
            # Not for the tables alone: the very first switch to WAL does not wait, it fails.
            with FileLock(f"{self._file}.lock", timeout=PATIENCE_SECONDS * 3):
                self._write(upgrade)


async def open_database(address: str) -> Database:
    """The database at `address`, with this release's tables. SettingsError, TryLater, Unreachable."""
    url = _checked(address)
    database = SqliteDatabase(url) if url.get_backend_name() == "sqlite" else _postgres(url)
    try:
        await database.prepare()
    except BaseException:
        # Its threads would keep the process from exiting.
        await database.close()
        raise
    return database


def _postgres(url: URL) -> Database:
    # Imported here: with it come SQLAlchemy's asyncio and ORM, a tenth of what a program without it takes to start.
    from clients.store.postgres import PostgresDatabase

    return PostgresDatabase(url)


@contextmanager
def store_errors() -> Iterator[None]:
    """A database's refusal or silence as TryLater, for every write of the store may be repeated."""
    try:
        yield
    except (DBAPIError, PoolTimeout, Timeout) as error:
        cause = getattr(error, "orig", None) or error
        raise TryLater("store", f"the database did not do it: {type(cause).__name__}: {cause}") from error
    except OSError as error:
        raise Unreachable("store", f"the database is not reachable: {error}") from error


def _checked(address: str) -> URL:
    try:
        url = make_url(address)
    except ArgumentError:
        raise SettingsError("store_url: this is no database address") from None
    if url.drivername not in ("sqlite", "sqlite+aiosqlite", "postgresql", "postgresql+asyncpg"):
        raise SettingsError(
            f"store_url: {url.drivername!r} is not served; write sqlite+aiosqlite:///<file> "
            "or postgresql+asyncpg://<user>@<host>/<database>"
        )
    if url.get_backend_name() == "sqlite" and (url.database or ":memory:") == ":memory:":
        raise SettingsError("store_url: a store in memory forgets what was written; name a file")
    return url


def _sqlite_engine(file: Path, connections: int) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(file)),
        pool_size=connections,
        max_overflow=0,
        connect_args={"timeout": PATIENCE_SECONDS, "isolation_level": None},
        hide_parameters=True,
    )
    event.listen(engine, "connect", _set_up)
    return engine


def _set_up(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    """Takes the write lock first: a transaction that reads and then writes would fail instead of waiting."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
