"""The command as a person meets it: quick help, exit codes that mean something, sentences for errors."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from cli.temporal_server import TemporalServer
from tests.cli.conftest import Command, execute

HEAVY = ("opentelemetry", "temporalio", "stripe", "sqlalchemy", "aiohttp", "httpx", "alembic", "pydantic_settings")
COMMANDS = (
    "demo",
    "up",
    "sandbox",
    "doctor",
    "trigger",
    "replay",
    "sweep",
    "quota",
    "payments list",
    "payments show",
    "exceptions list",
    "events list",
    "audit count",
)

CONNECTION = """
[connections.demo.stripe]
account_id = "acct_1"
livemode = false
api_key = "sk_test_1"
webhook_secrets = ["whsec_1"]
[connections.demo.zoho]
organization_id = "1"
client_id = "c"
client_secret = "s"
refresh_token = "r"
"""


async def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    """Help stays quick because no library that takes time is imported for it."""
    code = (
        "import sys\nfrom cli.main import run\nassert run(['--help']) == 0\n"
        f"sys.exit(','.join(name for name in {HEAVY!r} if name in sys.modules))"
    )
    ended = await execute([sys.executable, "-c", code], {}, tmp_path)
    assert (ended.err.strip(), ended.code) == ("", 1), ended.err  # sys.exit("") ends with 1 and says nothing


@pytest.mark.parametrize("command", COMMANDS)
async def test_every_command_explains_itself(throughline: Command, command: str) -> None:
    """Each command has help that names what it is for."""
    ended = await throughline(*command.split(), "--help")
    assert ended.code == 0
    assert f"throughline {command}" in ended.out


async def test_wrong_usage_is_code_2(throughline: Command) -> None:
    """A word that is no command ends with code 2 and is named."""
    ended = await throughline("payout")
    assert ended.code == 2
    assert "payout" in ended.err


async def test_a_wrong_setting_is_code_3(throughline: Command) -> None:
    """A wrong setting ends with code 3 and a sentence that names it, without a traceback."""
    ended = await throughline("payments", "list", THROUGHLINE_TEMPORAL_ADDRESS="nowhere")
    assert ended.code == 3
    assert "temporal_address" in ended.err
    assert "Traceback" not in ended.err


async def test_temporal_out_of_reach_is_code_4(throughline: Command) -> None:
    """Where Temporal does not answer, the command ends with code 4 and says what to do."""
    ended = await throughline("payments", "list", THROUGHLINE_TEMPORAL_ADDRESS="127.0.0.1:1")
    assert ended.code == 4
    assert "Start it" in ended.err
    assert "Traceback" not in ended.err


async def test_thirty_runs_end_cleanly(throughline: Command, temporal_binary: Path, tmp_path: Path) -> None:
    """Thirty commands that used Temporal's client end with code 0, none in the interpreter's finalisation."""
    async with TemporalServer(temporal_binary, tmp_path) as server:
        gate = asyncio.Semaphore(3)

        async def one() -> tuple[int, str, str]:
            async with gate:
                ended = await throughline(
                    "payments", "list", "--output", "json", THROUGHLINE_TEMPORAL_ADDRESS=server.address
                )
                return ended.code, ended.out.strip(), ended.err

        assert await asyncio.gather(*(one() for _ in range(30))) == [(0, "[]", "")] * 30


async def test_trigger_refuses_what_is_no_event(throughline: Command, tmp_path: Path) -> None:
    """A file that is missing or holds no JSON object is named, with code 2."""
    (tmp_path / "connections.toml").write_text(CONNECTION)
    (tmp_path / "list.json").write_text("[]")
    for name, words in (("gone.json", "neither an event id"), ("list.json", "holds no event")):
        ended = await throughline("trigger", name)
        assert ended.code == 2
        assert words in ended.err


async def test_an_unknown_connection_is_answered_with_those_there_are(throughline: Command, tmp_path: Path) -> None:
    """A connection's name that does not exist is refused with the names that do."""
    (tmp_path / "connections.toml").write_text(CONNECTION)
    ended = await throughline("trigger", "evt_1", "--connection", "dmeo")
    assert ended.code == 2
    assert "there are demo" in ended.err


async def test_traces_that_are_off_load_nothing(tmp_path: Path) -> None:
    """Worker and ingress are imported and traces opened, switched off: OpenTelemetry stays on the disk."""
    code = (
        "import sys, pathlib, worker, ingress.run\nfrom clients.tracing import open_tracing, current_trace_id\n"
        "open_tracing('off', 'worker', file=pathlib.Path('t'), endpoint='')\nassert current_trace_id() == ''\n"
        "sys.exit(','.join(name for name in sys.modules if name.startswith('opentelemetry')))"
    )
    ended = await execute([sys.executable, "-c", code], {}, tmp_path)
    assert (ended.err.strip(), ended.code) == ("", 1), ended.err
