"""Cells by the hundred: many shops at once in one process, each trying one payment after the other."""

from __future__ import annotations

import asyncio
import logging
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

from temporalio.client import Client

from tests.endtoend.shops import Shop, a_street
from tests.faults.books import Story
from tests.faults.cells import Cell
from tests.faults.faults import PATIENCE, POLICY
from tests.faults.kinds import KINDS, Kind
from tests.faults.lanes import lane_of
from workflows import contract

log = logging.getLogger(__name__)
AT_ONCE = 16  # more take no less time together, and each of them longer
_LANES = 40  # shops that see one payment after the other, shared out to the kinds by their cells
_FRESH = 250  # shops of one street that see one payment only

Stories = dict[str, Story]
Found = dict[Cell, list[str]]


def shops_of(client: Client, folder: Path, kinds: Mapping[str, Kind]) -> AbstractAsyncContextManager[dict[str, Shop]]:
    """A street with a shop for each name, its policy that of the name's kind."""
    ways = {name: kind.ways(POLICY) for name, kind in kinds.items()}
    return a_street(client, folder, kinds, policy=POLICY, ways=ways, zoho_seconds=PATIENCE)


async def record(client: Client, folder: Path, kinds: Iterable[Kind] = KINDS.values()) -> Stories:
    """One payment of each kind with which nothing goes wrong: where the rows of the table come from."""
    kinds = list(kinds)
    async with shops_of(client, folder, {kind.name: kind for kind in kinds}) as street:

        async def tell(kind: Kind) -> Story:
            lane = lane_of(street[kind.name], kind)
            await lane.open()
            return replace(await lane.undisturbed(), activities=await activities_of(lane.shop))

        return dict(zip((kind.name for kind in kinds), await asyncio.gather(*map(tell, kinds)), strict=True))


async def activities_of(shop: Shop) -> frozenset[str]:
    """What the runs of the shop have called until now, but for what looks into our own store only."""
    query = f"{contract.CONNECTION.name} = '{shop.slug}'"
    named = set()
    async for run in shop.client.list_workflows(query):
        history = await shop.client.get_workflow_handle(run.id, run_id=run.run_id).fetch_history()
        named |= {event.activity_task_scheduled_event_attributes.activity_type.name for event in history.events}
    return frozenset(named - {""})


async def suffer_all(client: Client, folder: Path, stories: Stories, cells: Sequence[Cell]) -> Found:
    """What is wrong in each cell. Cells that need a shop of their own are tried in as many streets as it takes."""
    fresh = [cell for cell in cells if cell.kind.first]
    others = [cell for cell in cells if not cell.kind.first]
    found: Found = {}
    while fresh or others:
        found |= await _suffer(client, folder, stories, [*fresh[:_FRESH], *others])
        fresh, others = fresh[_FRESH:], []
    return found


async def _suffer(client: Client, folder: Path, stories: Stories, cells: Sequence[Cell]) -> Found:
    by_kind: dict[str, list[Cell]] = defaultdict(list)
    for cell in cells:
        by_kind[cell.kind.name].append(cell)
    names = [
        f"{name} {number}"
        for name, wanted in by_kind.items()
        for number in range(len(wanted) if KINDS[name].first else math.ceil(_LANES * len(wanted) / len(cells)))
    ]
    found: Found = {}
    slots = asyncio.Semaphore(AT_ONCE)
    async with shops_of(client, folder, {name: KINDS[name.rpartition(" ")[0]] for name in names}) as street:

        async def work(name: str) -> None:
            kind = KINDS[name.rpartition(" ")[0]]
            left = by_kind[kind.name]
            lane = lane_of(street[name], kind)
            async with slots:
                await lane.open()
            while left and not lane.broken:
                cell = left.pop()
                async with slots:
                    found[cell] = await lane.suffer(cell, stories[kind.name])
                if found[cell]:
                    log.warning("%s: %s", cell, found[cell])
                if kind.first:
                    return

        await asyncio.gather(*map(work, names))
    return found | {cell: ["no shop was left to try it in"] for rest in by_kind.values() for cell in rest}
