"""A Temporal server of their own for tests that kill it, and the command as a child process."""

from __future__ import annotations

import asyncio
import os
import pty
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.temporal_binary import find_or_get

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ended:
    """How a run of the command ended."""

    code: int
    out: str
    err: str


Command = Callable[..., Awaitable[Ended]]


@pytest.fixture(scope="session")
def temporal_binary() -> Path:
    """The Temporal CLI, which `make test` has brought here before."""
    said: list[str] = []
    return find_or_get(said.append)


@pytest.fixture
def throughline(tmp_path: Path) -> Command:
    """`await throughline("payments", "list", THROUGHLINE_HOME=…)`: runs the command in an empty folder."""

    async def run(*arguments: str, cwd: Path = tmp_path, **environment: str) -> Ended:
        return await execute([sys.executable, "-m", "cli.main", *arguments], environment, cwd)

    return run


async def execute(command: list[str], environment: Mapping[str, str], cwd: Path) -> Ended:
    """Runs `command` to its end, with our packages importable from anywhere."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return Ended(process.returncode or 0, out.decode(), err.decode())


async def on_a_terminal(command: list[str], environment: Mapping[str, str], cwd: Path) -> Ended:
    """As `execute`, with a terminal where talk goes."""
    leader, follower = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "100", **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=follower,
    )
    os.close(follower)
    (out, _), shown = await asyncio.gather(process.communicate(), asyncio.to_thread(_read_all, leader))
    return Ended(process.returncode or 0, out.decode(), shown)


def _read_all(terminal: int) -> str:
    """What came to a terminal until nobody writes there any more."""
    found = b""
    with suppress(OSError):  # a terminal says so by an error
        while some := os.read(terminal, 65536):
            found += some
    os.close(terminal)
    return found.decode()


async def until(holds: Callable[[], Awaitable[bool]], within: float = 30.0) -> None:
    """Waits for `holds`; TimeoutError where that takes more than `within` seconds."""
    async with asyncio.timeout(within):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.02)


def is_gone(pid: int) -> bool:
    """Whether the process has ended, even if nobody has reaped it yet."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return True
    return state == "Z"
