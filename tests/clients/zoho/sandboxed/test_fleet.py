"""A fleet of processes shares one token: one refresh for each expiry, whoever meets it and however many at once."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from clients.keys import KeyRing
from tests.clients.zoho.sandboxed.shop import Sandbox

WORKERS, CALLS = 4, 5


class Fleet:
    """Processes that wait for a word to make their calls."""

    def __init__(self, programs: list[Process]) -> None:
        self._programs = programs

    async def ask(self) -> int:
        """Every process makes its calls, all at once; how many went well."""
        return sum(await asyncio.gather(*(self._one(program) for program in self._programs)))

    async def _one(self, program: Process) -> int:
        assert program.stdin is not None
        program.stdin.write(b"go\n")
        return int(await line(program))


async def line(program: Process) -> str:
    """The next thing it says."""
    assert program.stdout is not None
    async with asyncio.timeout(60):
        return (await program.stdout.readline()).decode().strip()


@asynccontextmanager
async def a_fleet(sandbox: Sandbox, folder: Path) -> AsyncIterator[Fleet]:
    """`WORKERS` processes on one store."""
    keys, store = KeyRing.generate().to_text(), f"sqlite+aiosqlite:///{folder}/store.db"
    command = [sys.executable, "-m", "tests.clients.zoho.sandboxed.worker", sandbox.url, store, keys, str(CALLS)]
    programs = [await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE) for _ in range(WORKERS)]
    try:
        assert [await line(program) for program in programs] == ["ready"] * WORKERS
        yield Fleet(programs)
    finally:
        for program in programs:
            assert program.stdin is not None
            program.stdin.close()
        assert [await program.wait() for program in programs] == [0] * WORKERS


async def tokens(sandbox: Sandbox) -> dict[str, int]:
    """What the token endpoint answered, by kind."""
    return dict((await sandbox.ledger())["token_calls"])


@pytest.mark.parametrize("slow", [0.0, 2.0])
async def test_twenty_calls_of_four_processes_refresh_once_an_expiry(
    sandbox: Sandbox, tmp_path: Path, slow: float
) -> None:
    """The first token and the one after a revocation are asked for once, also where Zoho takes two seconds."""
    async with a_fleet(sandbox, tmp_path) as fleet:
        for issued in (1, 2):
            if slow:
                await sandbox.fault("slow", "POST", "/oauth/v2/token", seconds=slow)
            assert (await fleet.ask(), await tokens(sandbox)) == (WORKERS * CALLS, {"issued": issued})
            await sandbox.post("/_revoke", {})


async def test_a_fleet_never_makes_the_tenth_refresh(sandbox: Sandbox, tmp_path: Path) -> None:
    """A token that dies before every round: the fleet stops at nine refreshes and trips no limit of Zoho's."""
    async with a_fleet(sandbox, tmp_path) as fleet:
        for _ in range(12):
            await fleet.ask()
            await sandbox.post("/_revoke", {})
    told = await tokens(sandbox)
    assert set(told) == {"issued"}
    assert told["issued"] <= 9
