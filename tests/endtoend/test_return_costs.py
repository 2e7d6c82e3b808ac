"""What a return and a refund cost, counted: Temporal's actions, calls to Zoho and Stripe, history while it waits."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory

from bench.histories import Costs, costs_of
from domain.policy import ReturnPolicy
from domain.runs import Stage
from tests.endtoend.zoho_desk import Desk, a_sale, ended, reached, return_shop, run_of, tell
from tests.faults.cells import Lane
from tests.faults.kinds import KINDS
from tests.faults.singles import shops_of
from tests.house import House

STEADY: dict[str, Any] = {"look_every": timedelta(milliseconds=200), "look_at_most": timedelta(milliseconds=200)}
FRESH_HISTORY = 4096  # events; the server suggests a fresh history from there on
EVENTS_A_LOOK, ACTIONS_A_LOOK = 11, 2
MOST_BYTES_A_LOOK = 2500
# Without the looks: what a return takes that is received in the end, a signal of its own refund's run included.
EVENTS_BEFORE, ACTIONS = 15, 23


def looks(within: timedelta, policy: ReturnPolicy) -> int:
    """How often a return that waits is looked at, by the policy."""
    pause, left, found = policy.look_every, within, 0
    while pause <= left:
        left, found, pause = left - pause, found + 1, min(2 * pause, policy.look_at_most)
    return found


async def looked(house: House, return_id: str, times: int) -> tuple[int, Costs]:
    """How often the return that waits was looked at, `times` at least, and what it cost until it waited again."""
    async with asyncio.timeout(60):
        while True:
            history = await run_of(house, return_id).fetch_history()
            waits = [
                at for at, one in enumerate(history.events, 1) if one.event_type == EventType.EVENT_TYPE_TIMER_STARTED
            ]
            if len(waits) > times:
                return len(waits) - 1, costs_of(WorkflowHistory(history.workflow_id, history.events[: waits[-1]]))
            await asyncio.sleep(0.1)


async def test_a_return_that_waits_costs_little(temporal_client: Client, tmp_path: Path) -> None:
    """A timer and a read for each look: 15 looks in 3 days, 123 in 30, as the policy has it."""
    async with return_shop(temporal_client, tmp_path, **STEADY) as house:
        await a_sale(house)
        desk = Desk(house)
        made = await desk.enters(("MUG", 1, 0))
        await tell(house, made)
        await reached(house, made, Stage.WAITING_FOR_RETURN)
        first, early = await looked(house, made, 2)
        last, late = await looked(house, made, first + 5)
        await desk.receives(made)
        await tell(house, made)
        assert (await ended(house, made))["stage"] == Stage.CREDITED
        whole = costs_of(await run_of(house, made).fetch_history())
    more = last - first
    assert late.actions - early.actions == ACTIONS_A_LOOK * more
    assert late.events - early.events == EVENTS_A_LOOK * more
    assert late.stored - early.stored <= MOST_BYTES_A_LOOK * more
    assert early.events - EVENTS_A_LOOK * first == EVENTS_BEFORE
    assert whole.actions - ACTIONS_A_LOOK * last in (ACTIONS - 1, ACTIONS)  # its refund's run may come too late


def test_what_that_comes_to_by_the_policy_of_a_shop() -> None:
    """15 looks in 3 days are 53 actions; 123 in 30 days are a third of what a history may hold."""
    three, thirty = (looks(timedelta(days=days), ReturnPolicy()) for days in (3, 30))
    assert (three, ACTIONS + ACTIONS_A_LOOK * three) == (15, 53)
    assert (thirty, EVENTS_BEFORE + EVENTS_A_LOOK * thirty) == (123, 1368)
    assert EVENTS_BEFORE + EVENTS_A_LOOK * thirty < FRESH_HISTORY / 2


@pytest.mark.parametrize(("kind", "zoho", "stripe"), [("refunded as a whole", 5, 4), ("a piece comes back", 8, 10)])
async def test_calls_of_a_refund(temporal_client: Client, tmp_path: Path, kind: str, zoho: int, stripe: int) -> None:
    """What both sides are asked, the runs of Stripe's own events about the refund included."""
    async with shops_of(temporal_client, tmp_path, {kind: KINDS[kind]}) as street:
        lane = Lane(street[kind], KINDS[kind])
        await lane.open()
        story = await lane.undisturbed()
    asked = Counter(call.at for call in story.calls)
    assert (asked["zoho"], asked["stripe"]) == (zoho, stripe)
