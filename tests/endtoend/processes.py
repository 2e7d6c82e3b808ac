"""A house of real processes: Temporal on a file, a worker and an ingress, each of which can be killed."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from cli.children import Child
from cli.ports import quiet_port
from cli.temporal_server import TemporalServer
from cli.temporal_setup import NO_LIMITS
from cli.up import part_command
from clients.connections import Connection
from clients.keys import KeyRing
from clients.settings import ensure_keys
from clients.store import Store
from clients.temporal import connect
from domain.policy import PaymentPolicy
from tests.endtoend.shops import HOST, Shop, Site, Ways, open_a_shop

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("worker", "ingress", "temporal")
_READY_WITHIN = 60.0  # seconds for a part to come up


@dataclass
class Processes:
    """The running parts, and the shops they serve."""

    temporal: TemporalServer
    home: Path
    ingress_port: int
    http: httpx.AsyncClient
    shops: dict[str, Shop] = field(default_factory=dict)
    children: dict[str, Child] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)

    async def start(self, part: str) -> None:
        """Starts a part, again after `kill`; ingress and worker have found Temporal then."""
        if part == "temporal":
            await self.temporal.restart()
            return
        log = self.home / f"{part}.log"
        begun = log.stat().st_size if log.exists() else 0
        self.children[part] = Child.spawn(part, part_command(part), log=log, env=self.environment())
        if part == "ingress":
            await self._ready()
            return
        # A worker that never found Temporal ends, for a supervisor to start again; this house has none.
        async with asyncio.timeout(_READY_WITHIN):
            while b"working for" not in log.read_bytes()[begun:]:
                await asyncio.sleep(0.02)

    async def kill(self, part: str) -> None:
        """SIGKILL; returns when it is dead."""
        if part == "temporal":
            self.temporal.kill()
            await self.temporal.stop()
        else:
            self.children[part].kill()
            await self.children[part].wait()

    async def deliveries_at_hand(self) -> int:
        """How many webhooks the ingress is answering at this moment."""
        text = (await self.http.get(f"http://{HOST}:{self.ingress_port}/metrics")).text
        line = next(row for row in text.splitlines() if row.startswith("throughline_webhook_in_flight "))
        return int(float(line.split()[1]))

    async def stop(self) -> None:
        """Ends worker and ingress in order."""
        await asyncio.gather(*(child.stop() for child in self.children.values()))

    async def _ready(self) -> None:
        async with asyncio.timeout(_READY_WITHIN):
            while True:
                try:
                    # Alive is not enough: an ingress that never reached Temporal refuses at once and waits for nothing.
                    if (await self.http.get(f"http://{HOST}:{self.ingress_port}/readyz")).is_success:
                        return
                except httpx.TransportError:
                    assert self.children["ingress"].exit_code is None, self.children["ingress"].tail()
                await asyncio.sleep(0.05)

    def environment(self) -> dict[str, str]:
        """The settings of this install and nothing of the user's, for its programs and commands."""
        own = {
            "THROUGHLINE_CONFIG": str(self.home / "throughline.toml"),
            "THROUGHLINE_HOME": str(self.home),
            "THROUGHLINE_CONNECTIONS_FILE": str(self.home / "connections.toml"),
            "THROUGHLINE_TEMPORAL_ADDRESS": self.temporal.address,
            "THROUGHLINE_INGRESS_PORT": str(self.ingress_port),
            "PYTHONPATH": str(ROOT),
            **self.settings,
        }
        return {key: value for key, value in os.environ.items() if not key.startswith("THROUGHLINE_")} | own


@asynccontextmanager
async def a_house_of_processes(
    binary: Path,
    home: Path,
    names: Iterable[str],
    policy: PaymentPolicy,
    *,
    ways: Mapping[str, Ways] | None = None,
    settings: Mapping[str, str] | None = None,
) -> AsyncIterator[Processes]:
    """Everything running, with a shop for each of `names`.

    `ways` are those of the shops that have their own, instead of `policy`; `settings` are further variables.
    """
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=30, trust_env=False))
        temporal = TemporalServer(binary, home, port=quiet_port(), database=home / "temporal.db", limits=NO_LIMITS)
        await stack.enter_async_context(temporal)
        keys = KeyRing.from_text(ensure_keys(home).read_text())
        store = await Store.open(f"sqlite+aiosqlite:///{home}/store.db", keys)
        stack.push_async_callback(store.close)
        house = Processes(temporal, home, quiet_port(), http, settings=settings or {})
        stack.push_async_callback(house.stop)
        client = await connect(temporal.address)
        site = Site(stack, client, store, home / "store.db", f"http://{HOST}:{house.ingress_port}", http)
        for number, name in enumerate(names, 1):
            house.shops[name] = await open_a_shop(site, number, (ways or {}).get(name, Ways(policy)))
        (home / "throughline.toml").touch()
        (home / "connections.toml").write_text("\n".join(_as_toml(shop.connection) for shop in house.shops.values()))
        await asyncio.gather(house.start("worker"), house.start("ingress"))
        yield house


def _as_toml(connection: Connection) -> str:
    tables: dict[str, dict[str, Any]] = {
        "stripe": {
            "account_id": connection.stripe.account_id,
            "livemode": False,
            "api_key": connection.stripe.api_key.get_secret_value(),
            "webhook_secrets": [one.get_secret_value() for one in connection.stripe.webhook_secrets],
            "api_base": connection.stripe.api_base,
        },
        "zoho": {
            "data_center": connection.zoho.data_center,
            "organization_id": connection.zoho.organization_id,
            "client_id": connection.zoho.client_id,
            "client_secret": connection.zoho.client_secret.get_secret_value(),
            "refresh_token": connection.zoho.refresh_token.get_secret_value(),
            "api_base": connection.zoho.api_base,
            "accounts_base": connection.zoho.accounts_base,
            "calls_at_once": connection.zoho.calls_at_once,
            "calls_per_minute": connection.zoho.calls_per_minute,
        },
        "policy": connection.policy.model_dump(exclude_defaults=True),
        "mapping": connection.mapping.model_dump(exclude_defaults=True),
    }
    lines: list[str] = []
    for name, table in tables.items():
        lines.append(f"[connections.{connection.slug}.{name}]")
        lines += [f"{key} = {_value(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    """JSON's scalars and keys are TOML's, too."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_value(one)}" for key, one in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value.total_seconds() if isinstance(value, timedelta) else value)
