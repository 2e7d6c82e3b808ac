"""One real Temporal server for the whole session; tests keep apart by task queue and ids, not by server."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from temporalio.client import Client

from cli.ending import end
from cli.temporal_binary import find_or_get
from cli.temporal_server import TemporalServer
from cli.temporal_setup import NO_LIMITS
from clients.temporal import connect

LONGEST = Path(__file__).parent / "faults" / "test_table.py"
# A machine that is busy with other things makes no example wrong.
settings.register_profile("house", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")
# How the session went, for the end of its process.
STATUS = pytest.StashKey[int]()


@pytest.fixture(scope="session")
async def temporal_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TemporalServer]:
    """A dev server on a file, as the demo has it, its Zoho queue without a pace."""
    home: Path = tmp_path_factory.mktemp("temporal")
    binary = await asyncio.to_thread(find_or_get, _say)
    server = TemporalServer(binary, home, database=home / "temporal.db", limits=NO_LIMITS)
    async with server:
        yield server


@pytest.fixture(scope="session")
async def temporal_client(temporal_server: TemporalServer) -> Client:
    """A client of the session's server and event loop."""
    return await connect(temporal_server.address, temporal_server.namespace)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest file first: processes that share the files out are then done at about the same time."""
    items.sort(key=lambda item: item.path != LONGEST)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave without tearing the interpreter down: the SDK's threads would end a green run with a crash, at times.

    A process that xdist started leaves as xdist wants it to.
    """
    status = config.stash.get(STATUS, None)
    if status is not None and not hasattr(config, "workerinput"):
        end(int(status))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Remember how it went for the process's end."""
    session.config.stash[STATUS] = exitstatus
    sys.stdout.flush()


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
