"""The dev server as we start it: prepared, on a file that outlives it, ended with its parent."""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from cli.children import Child
from cli.ports import PortBusy
from cli.temporal_server import ServerFailed, TemporalServer
from cli.temporal_setup import NO_LIMITS, namespace_retention, organisation_limit
from clients.temporal import connect, missing_search_attributes
from tests.cli.conftest import ROOT, is_gone, until
from workflows.contract import MAIN_QUEUE, SEARCH_ATTRIBUTES, ZOHO_BULK_QUEUE, ZOHO_QUEUE


async def test_it_comes_up_prepared(temporal_binary: Path, tmp_path: Path) -> None:
    """Retention, search attributes and the limits of all queues are there once it is up."""
    async with TemporalServer(temporal_binary, tmp_path) as server:
        client = await connect(server.address)
        assert await namespace_retention(client) == timedelta(days=30)
        assert await missing_search_attributes(client, SEARCH_ATTRIBUTES) == []
        assert await organisation_limit(client, ZOHO_QUEUE) == 1.5
        assert await organisation_limit(client, ZOHO_BULK_QUEUE) == pytest.approx(1.6)
        assert await organisation_limit(client, MAIN_QUEUE) == 2


async def test_limits_can_be_lifted_again(temporal_binary: Path, tmp_path: Path) -> None:
    """A limit of None takes away the one that the file remembers."""
    database = tmp_path / "temporal.db"
    async with TemporalServer(temporal_binary, tmp_path, database=database):
        pass
    async with TemporalServer(temporal_binary, tmp_path, database=database, limits=NO_LIMITS) as server:
        client = await connect(server.address)
        assert [await organisation_limit(client, queue) for queue in (ZOHO_QUEUE, MAIN_QUEUE)] == [None, None]


async def test_a_run_survives_sigkill_of_the_server(temporal_binary: Path, tmp_path: Path) -> None:
    """What ran before a SIGKILL is still running after the restart on the same file, on the same port."""
    async with TemporalServer(temporal_binary, tmp_path, database=tmp_path / "temporal.db") as server:
        client = await connect(server.address)
        await client.start_workflow("Anything", id="kept", task_queue="nobody")
        before = server.address
        server.kill()
        await server.restart()
        assert server.address == before
        description = await (await connect(server.address)).get_workflow_handle("kept").describe()
        assert description.status is WorkflowExecutionStatus.RUNNING


async def test_an_old_file_gets_what_it_lacks(temporal_binary: Path, tmp_path: Path) -> None:
    """A database file made without our search attributes has them after our start."""
    database = tmp_path / "temporal.db"
    bare = TemporalServer(temporal_binary, tmp_path)
    command = [str(temporal_binary), "server", "start-dev", "--headless", "--port", str(bare.port)]
    child = Child.spawn("bare", [*command, "--db-filename", str(database)], log=tmp_path / "bare.log")
    client = await connect(bare.address, lazy=True)
    await until(lambda: _answers_with_nothing_of_ours(client))
    await child.stop()
    async with TemporalServer(temporal_binary, tmp_path, database=database) as server:
        client = await connect(server.address)
        assert await missing_search_attributes(client, SEARCH_ATTRIBUTES) == []
        assert await namespace_retention(client) == timedelta(days=30)


async def _answers_with_nothing_of_ours(client: Client) -> bool:
    try:
        return await missing_search_attributes(client, SEARCH_ATTRIBUTES) == list(SEARCH_ATTRIBUTES)
    except (RPCError, RuntimeError):
        return False


async def test_an_inner_port_that_another_program_took_is_chosen_anew(temporal_binary: Path, tmp_path: Path) -> None:
    """The server ends with "address already in use" of a port that is not ours to choose: it is started again."""
    once = tmp_path / "once"
    hasty = tmp_path / "hasty"
    said = "listen tcp 127.0.0.1:43991: bind: address already in use"
    hasty.write_text(
        f'#!/bin/sh\n[ -e {once} ] || {{ touch {once}; echo "{said}"; exit 1; }}\nexec {temporal_binary} "$@"\n'
    )
    hasty.chmod(0o755)
    async with TemporalServer(hasty, tmp_path) as server:
        assert await missing_search_attributes(await connect(server.address), SEARCH_ATTRIBUTES) == []
    assert once.exists()


async def test_a_busy_port_is_a_sentence(temporal_binary: Path, tmp_path: Path) -> None:
    """The sentence names the port and the option that chooses another."""
    async with TemporalServer(temporal_binary, tmp_path) as server:
        with pytest.raises(PortBusy, match=f"Port {server.port} .*--temporal-port"):
            await TemporalServer(temporal_binary, tmp_path, port=server.port).start()


async def test_a_server_that_ends_at_once_is_told_with_its_words(tmp_path: Path) -> None:
    """A binary that does not serve is reported with the last lines of its log."""
    broken = tmp_path / "temporal"
    broken.write_text("#!/bin/sh\necho out of luck\nexit 3\n")
    broken.chmod(0o755)
    with pytest.raises(ServerFailed, match="out of luck"):
        await TemporalServer(broken, tmp_path).start()


async def test_a_child_ends_with_a_killed_parent() -> None:
    """SIGKILL of the parent leaves no child behind."""
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom cli.children import Child\n"
        "child = Child.spawn('sleeper', ['sleep', '600'])\n"
        "print(child.pid, flush=True)\ntime.sleep(600)\n"
    )
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", code, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    parent.kill()
    await parent.wait()
    await until(lambda: asyncio.to_thread(is_gone, pid))


async def test_a_deaf_child_is_killed(tmp_path: Path) -> None:
    """A child that ignores SIGTERM is gone when stop returns."""
    ready = tmp_path / "ready"
    code = f"trap '' TERM; touch {ready}; while true; do sleep 0.05; done"
    child = Child.spawn("deaf", ["sh", "-c", code], log=tmp_path / "deaf.log")
    await until(lambda: asyncio.to_thread(ready.exists))
    assert await child.stop(within=0.2) == -signal.SIGKILL
