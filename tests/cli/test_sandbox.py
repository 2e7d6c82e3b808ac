"""`throughline sandbox`: two programs, and a shop that stays the same shop."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.demo_clerk import Clerk
from cli.exits import CannotStart
from cli.ledgers import Sandboxes
from cli.ports import quiet_port
from cli.shop import ACCOUNT, ITEMS, ORGANIZATION_ID, SLUG
from clients.connections import load_connections
from tests.cli.conftest import ROOT, Command


@asynccontextmanager
async def sandbox(folder: Path, *options: str) -> AsyncIterator[tuple[str, str]]:
    """Both programs with a shop, at (Stripe's, Zoho's) address; ended by SIGTERM, with code 0."""
    stripe, zoho = quiet_port(), quiet_port()
    command = [sys.executable, "-m", "cli.main", "sandbox", "--state", str(folder / "state")]
    command += ["--stripe-port", str(stripe), "--zoho-port", str(zoho)]
    command += ["--connections", str(folder / "connections.toml"), *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=environment, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    async with asyncio.timeout(30):
        while b"A shop is open" not in (line := await process.stderr.readline()):
            assert line, "the sandbox ended at once"
    yield f"http://127.0.0.1:{stripe}", f"http://127.0.0.1:{zoho}"
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0


async def ledger(url: str) -> Any:
    """What a sandbox holds."""
    async with httpx.AsyncClient() as http:
        return (await http.get(f"{url}/_ledger")).json()


async def test_a_shop_is_open_with_a_connection_file_for_it(tmp_path: Path) -> None:
    """The file can be loaded, is its owner's alone, and names the addresses; the shelf is full."""
    async with sandbox(tmp_path) as (stripe, zoho):
        file = tmp_path / "connections.toml"
        connection = load_connections(file)[SLUG]
        assert (connection.stripe.api_base, connection.zoho.api_base) == (stripe, zoho)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        items = (await ledger(zoho))["organizations"][ORGANIZATION_ID]["items"]
        assert [item["sku"] for item in items] == [item["sku"] for item in ITEMS]


async def test_it_is_the_same_shop_after_a_restart(tmp_path: Path) -> None:
    """Payments, webhook secret and the one endpoint are still there; a new webhook address replaces the old one."""
    async with sandbox(tmp_path) as (stripe, _), httpx.AsyncClient() as http:
        wish = {"currency": "eur", "lines": [{"sku": "LAMP-01", "unit_amount": 4900}]}
        made = (await http.post(f"{stripe}/_pay", json=wish)).json()
        assert made["account"] == ACCOUNT["id"]
    secret = load_connections(tmp_path / "connections.toml")[SLUG].stripe.webhook_secrets
    async with sandbox(tmp_path, "--webhook-url", "http://127.0.0.1:9/elsewhere") as (stripe, _):
        seen = await ledger(stripe)
        assert [row["id"] for row in seen["payment_intents"]] == [made["payment_intent"]]
        assert [row["url"] for row in seen["webhook_endpoints"]] == ["http://127.0.0.1:9/elsewhere"]
    assert load_connections(tmp_path / "connections.toml")[SLUG].stripe.webhook_secrets == secret


async def test_a_busy_port_is_code_4(throughline: Command, tmp_path: Path) -> None:
    """The sentence names the port and its option."""
    async with sandbox(tmp_path) as (stripe, _):
        port = stripe.rpartition(":")[2]
        ended = await throughline("sandbox", "--stripe-port", port, "--zoho-port", str(quiet_port()))
    assert ended.code == 4
    assert f"Port {port}" in ended.err
    assert "--stripe-port" in ended.err


async def test_the_clerk_waits_while_the_minute_is_full(tmp_path: Path) -> None:
    """Zoho's refusal of one call too many ends no demo; what is refused for another reason does."""
    async with sandbox(tmp_path) as (stripe, zoho), httpx.AsyncClient() as http:
        clerk = Clerk(Sandboxes(http, stripe, zoho, ask_again=0.01))
        full = {"fault": "rate_limit", "method": "GET", "path": "/salesorders/", "times": 2}
        await http.post(f"{zoho}/_faults", json=full)
        with pytest.raises(CannotStart, match="does not exist"):
            await clerk.ships("4711", "pi_1")
        assert [fault["hits"] for fault in (await http.get(f"{zoho}/_faults")).json()["faults"]] == [2]
