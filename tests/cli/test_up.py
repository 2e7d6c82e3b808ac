"""`throughline up`: both parts run, end in order on SIGTERM, and do not outlive each other."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from cli.ports import quiet_port
from cli.temporal_server import TemporalServer
from tests.cli.conftest import ROOT, Command, until
from tests.cli.test_main import CONNECTION


@dataclass(frozen=True)
class Up:
    """A running `throughline up` that answers at `url`."""

    process: asyncio.subprocess.Process
    url: str
    log: Path

    async def ready(self) -> bool:
        """Whether an event could be accepted now."""
        assert self.process.returncode is None, self.log.read_text()
        try:
            async with httpx.AsyncClient() as http:
                return (await http.get(f"{self.url}/readyz")).is_success
        except httpx.TransportError:
            return False

    async def gone(self) -> bool:
        """Whether nobody listens any more."""
        try:
            async with httpx.AsyncClient() as http:
                await http.get(f"{self.url}/healthz")
        except httpx.TransportError:
            return True
        return False


@asynccontextmanager
async def running(folder: Path, temporal: str, *options: str) -> AsyncIterator[Up]:
    """`throughline up` in `folder`, once it is ready."""
    (folder / "connections.toml").write_text(CONNECTION)
    port, log = quiet_port(), folder / "up.log"
    environment = {
        "PYTHONPATH": str(ROOT),
        "THROUGHLINE_TEMPORAL_ADDRESS": temporal,
        "THROUGHLINE_INGRESS_PORT": str(port),
    }
    with log.open("wb") as talk:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cli.main", "up", *options),
            cwd=folder,
            env={**os.environ, **environment},
            stdout=talk,
            stderr=talk,
        )
    up = Up(process, f"http://127.0.0.1:{port}", log)
    try:
        await until(up.ready)
        yield up
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def children_of(pid: int) -> dict[str, int]:
    """The parts that a process has started, by name."""
    listing = await asyncio.create_subprocess_exec("ps", "-eo", "pid=,ppid=,args=", stdout=asyncio.subprocess.PIPE)
    out, _ = await listing.communicate()
    rows = [line.split(None, 2) for line in out.decode().splitlines()]
    return {row[2].split()[-1]: int(row[0]) for row in rows if row[1] == str(pid)}


@pytest.mark.parametrize("options", [(), ("--in-process",), ("--workers", "2")])
async def test_sigterm_ends_everything_in_order(
    temporal_server: TemporalServer, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """With children or in one process, SIGTERM ends with code 0 and nobody listens after it."""
    async with running(tmp_path, temporal_server.address, *options) as up:
        up.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            assert await up.process.wait() == 0, up.log.read_text()
        assert await up.gone()
        assert "Traceback" not in up.log.read_text()


async def test_a_part_that_falls_takes_the_others_with_it(temporal_server: TemporalServer, tmp_path: Path) -> None:
    """When the worker is killed, the command ends the ingress too and says so with code 1."""
    async with running(tmp_path, temporal_server.address) as up:
        children = await children_of(up.process.pid)
        assert set(children) == {"worker", "ingress"}
        os.kill(children["worker"], signal.SIGKILL)
        async with asyncio.timeout(30):
            assert await up.process.wait() == 1
        assert await up.gone()
        assert "The worker ended by itself" in up.log.read_text()


async def test_without_connections_it_is_code_3(throughline: Command) -> None:
    """A missing connection file ends with code 3 before anything is started."""
    ended = await throughline("up")
    assert ended.code == 3
    assert "connections" in ended.err


async def test_an_unknown_part_is_code_2(throughline: Command) -> None:
    """--only names one of the two parts."""
    ended = await throughline("up", "--only", "console")
    assert (ended.code, "worker or ingress" in ended.err) == (2, True)


@pytest.mark.parametrize("options", [("--only", "worker"), ("--in-process",)])
async def test_a_worker_without_temporal_is_code_4(
    throughline: Command, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """A worker that cannot reach Temporal ends with code 4 and a sentence, for a supervisor to start it again."""
    (tmp_path / "connections.toml").write_text(CONNECTION)
    settings = {"THROUGHLINE_TEMPORAL_ADDRESS": "127.0.0.1:1", "THROUGHLINE_INGRESS_PORT": str(quiet_port())}
    ended = await throughline("up", *options, **settings)
    assert ended.code == 4
    assert "127.0.0.1:1 cannot be reached" in ended.err
    assert "Traceback" not in ended.err
