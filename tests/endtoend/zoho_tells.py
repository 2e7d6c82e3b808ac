"""How Zoho tells of what people do there: by its webhooks, and by the lists that are read from time to time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pydantic import SecretStr
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError

from ingress.app import make_app
from ingress.run import serving
from tests.endtoend.zoho_desk import starter_of
from tests.house import House
from workflows import contract

SECRET = "Abcdefgh12345678"


@asynccontextmanager
async def zoho_calling(house: House, *modules: str) -> AsyncIterator[None]:
    """Every change in these modules is told by Zoho's own webhook, signed, twice and in any order."""
    zoho = house.connection.zoho.model_copy(update={"webhook_secrets": (SecretStr(SECRET),)})
    opened = house.connection.model_copy(update={"zoho": zoho})
    app = make_app({house.slug: opened}, house.client, house.store, starter=starter_of(house))
    async with serving(app, "127.0.0.1", 0) as url:
        rule = {
            "organization_id": zoho.organization_id,
            "url": f"{url}/webhooks/zoho/{house.slug}",
            "modules": list(modules),
            "headers": {"X-Throughline-Secret": SECRET},
            "secret": SECRET,
        }
        await house.post(f"{house.zoho_url}/_webhooks", rule)
        await house.post(f"{house.zoho_url}/_webhook_faults", {"fault": "duplicated", "share": 1})
        yield


async def everything_called(house: House) -> None:
    """Zoho has delivered every call of its webhooks."""
    async with asyncio.timeout(30):
        while True:
            rows = (await house.http.get(f"{house.zoho_url}/_deliveries")).json()["deliveries"]
            if rows and all(row["state"] == "delivered" for row in rows):
                return
            await asyncio.sleep(0.05)


async def polled(house: House, run_id: str, path: str) -> None:
    """The list at `path` has been read once more by its run from now on."""
    before = await _read(house, path)
    await house.client.get_workflow_handle(run_id).signal(contract.LOOK_NOW)
    async with asyncio.timeout(30):
        while await _read(house, path) < before + 2:
            await asyncio.sleep(0.05)


async def _read(house: House, path: str) -> int:
    counts = (await house.zoho(only="calls"))["calls"]["counts"]
    return int(counts.get(f"GET {path}", 0))


async def has_run(handle: WorkflowHandle[Any, Any]) -> bool:
    """Whether there is such a run."""
    try:
        await handle.describe()
    except RPCError:
        return False
    return True
