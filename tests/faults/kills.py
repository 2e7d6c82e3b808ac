"""The worker is killed: many shops have one call each at the door, and one SIGKILL ends them all."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.endtoend.processes import Processes, a_house_of_processes
from tests.endtoend.shops import Hold
from tests.faults.cells import Cell, Lane
from tests.faults.lanes import lane_of
from tests.faults.singles import Found, Stories
from tests.house import QUICK

log = logging.getLogger(__name__)
# What a killed worker had in hand is repeated after `call_timeout`; until then every caller waits.
POLICY = QUICK.model_copy(update={"call_timeout": timedelta(seconds=12), "contact_lease": timedelta(seconds=12)})
_AT_ONCE = 30
_OPENING = 8  # shops whose first payment is made, or whose next one is prepared, at the same time
_TRIES = 5
_REACHED_WITHIN = 60.0
_WAIT_FOR_OTHERS = 8.0  # less than `call_timeout`: who waits longer gives its call up, and is not there to be killed


@dataclass(frozen=True)
class Batch:
    """Cells that one kill is for, and the shop of each."""

    cells: tuple[Cell, ...]
    shops: tuple[str, ...]


def batches(cells: Sequence[Cell], stories: Stories) -> list[Batch]:
    """The cells, those that come to their call at about the same moment together, and no shop twice at once."""
    place = {cell: stories[cell.kind.name].calls.index(cell.faults[0][0]) for cell in cells}
    rows = sorted(cells, key=lambda cell: place[cell])
    result, fresh = [], Counter[str]()
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        used: Counter[str] = Counter()
        shops = []
        for cell in part:
            counts = fresh if cell.kind.first else used
            shops.append(f"{cell.kind.name} {counts[cell.kind.name]}")
            counts[cell.kind.name] += 1
        result.append(Batch(tuple(part), tuple(shops)))
    return result


async def kill_all(binary: Path, home: Path, stories: Stories, cells: Sequence[Cell]) -> Found:
    """What is wrong in each cell after its kill."""
    found: Found = {}
    for attempt in range(1, _TRIES + 1):
        missed = [cell for cell in cells if cell not in found]
        if missed:
            (folder := home / f"kills-{attempt}").mkdir()
            found |= await _kill(binary, folder, stories, batches(missed, stories))
    return found | {cell: ["no call waited when the worker died"] for cell in cells if cell not in found}


async def _kill(binary: Path, home: Path, stories: Stories, wanted: Sequence[Batch]) -> Found:
    kinds = {name: cell.kind for batch in wanted for name, cell in zip(batch.shops, batch.cells, strict=True)}
    found: Found = {}
    ways = {name: kind.ways(POLICY) for name, kind in kinds.items()}
    async with a_house_of_processes(binary, home, kinds, POLICY, ways=ways) as house:
        lanes = {name: lane_of(house.shops[name], kind) for name, kind in kinds.items()}
        slots = asyncio.Semaphore(_OPENING)

        async def open_one(lane: Lane) -> None:
            async with slots:
                await lane.open()

        await asyncio.gather(*map(open_one, lanes.values()))
        for batch in wanted:
            found |= await _one(house, [lanes[name] for name in batch.shops], batch.cells, stories)
    return found


async def _one(house: Processes, lanes: Sequence[Lane], cells: Sequence[Cell], stories: Stories) -> Found:
    """One kill. A cell whose call did not wait when the worker died is left out: it is to be tried again.

    So is one whose payment did not come to where the cell begins, as happens on a machine that is crowded enough.
    """
    async with AsyncExitStack() as stack:
        slots = asyncio.Semaphore(_OPENING)
        entered = await asyncio.gather(*(_entered(stack, lane, slots) for lane in lanes))
        ready = [one for one in zip(lanes, cells, entered, strict=True) if one[2] is not None]
        if not ready:
            return {}
        lanes, cells, acts = zip(*ready, strict=True)
        holds = [_hold(lane, cell) for lane, cell in zip(lanes, cells, strict=True)]
        begun = await asyncio.gather(*(act() for act in acts))
        enough = asyncio.Event()
        # Where a person is asked, the calls that come after the answer would never come without one.
        asked = [one for one in zip(lanes, cells, begun, strict=True) if one[0].kind.asks]
        async with asyncio.TaskGroup() as people:
            for lane, cell, (_, payment) in asked:
                people.create_task(lane.attend(payment, cell.answer, enough))
            await _reached(holds)
            enough.set()
        waited = [one.waiting for one in holds]
        await house.kill("worker")
        await _noticed(holds)
        for lane, cell, one in zip(lanes, cells, holds, strict=True):
            lane.shop.program(cell.faults[0][0].at).door.release(one)
        await house.start("worker")
        ended: Any = await asyncio.gather(
            *(
                lane.ended(cell, stories[cell.kind.name], payment, since)
                for lane, cell, (since, payment) in zip(lanes, cells, begun, strict=True)
            )
        )
    return {cell: wrong for cell, wrong, met in zip(cells, ended, waited, strict=True) if met or wrong}


async def _entered(stack: AsyncExitStack, lane: Lane, slots: asyncio.Semaphore) -> Any:
    """What lets the lane's next payment begin; None where it, or one before it, could not be prepared in time."""
    if lane.broken:
        return None
    try:
        async with slots:
            return await stack.enter_async_context(lane.acting())
    except TimeoutError:
        log.warning("%s: a payment could not be prepared in time", lane.kind.name)
        lane.broken = True
        return None


def _hold(lane: Lane, cell: Cell) -> Hold:
    ((call, fault),) = cell.faults
    return lane.shop.program(call.at).door.hold(call.method, call.pattern, after=fault.kills_after, skip=call.nth - 1)


async def _reached(holds: Sequence[Hold]) -> None:
    """Until every call is at its door, or the first has waited there for as long as it can."""
    waits = [asyncio.create_task(one.reached.wait()) for one in holds]
    await asyncio.wait(waits, timeout=_REACHED_WITHIN, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.wait(waits, timeout=_WAIT_FOR_OTHERS)
    for one in waits:
        one.cancel()


async def _noticed(holds: Sequence[Hold]) -> None:
    """Until no request at a door has a living sender any more."""
    async with asyncio.timeout(10):
        while any(one.waiting for one in holds):
            await asyncio.sleep(0.01)
