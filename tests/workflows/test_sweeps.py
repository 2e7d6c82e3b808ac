"""The story of a sweep: three sources, page by page, a window at a time."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.exceptions import ApplicationError

from domain.sweeps import Beginning, Case, Gap, Heard, Looked, Source, SweepInput, SweepPolicy, Swept, Why
from tests.workflows.fakes import Script, Stage, event, on_stage
from tests.workflows.samples import QUICK
from tests.workflows.spans import DAY, NOON, no_times, refused
from workflows import contract


def gap(payment_id: str, why: Why = Why.NEVER_DELIVERED) -> Gap:
    """A payment that nobody told us of."""
    heard = Heard(event=event(payment_id), case=Case.PAYMENT, about=payment_id, payment_id=payment_id)
    return Gap(heard=heard, why=why)


def wanted(**changes: Any) -> SweepInput:
    """A sweep of an hour that is over."""
    usual = {"since": NOON - timedelta(hours=1), "until": NOON, "regular": False}
    return SweepInput(connection="shop", policy=QUICK, **(usual | changes))


async def swept(stage: Stage, start: SweepInput) -> tuple[Swept, Any]:
    """What it came to, and its first run."""
    handle = await stage.client.start_workflow(
        contract.SWEEP_WORKFLOW,
        start,
        id=contract.sweep_workflow_id("shop", uuid.uuid4().hex, ""),
        task_queue=stage.queue,
        result_type=Swept,
    )
    return Swept.model_validate(await handle.result()), handle


async def test_every_source_is_read_to_its_last_page_and_healed_on_the_way(temporal_client: Client) -> None:
    """The gaps of a page are told before the next page is read; the result names them and counts the rows."""
    script = Script(
        {
            "look_at_events": [Looked(count=100, after="evt_100", gaps=(gap("pi_1"),)), Looked(count=7)],
            "look_at_balance": Looked(count=3, gaps=(gap("pi_2"),)),
        }
    )
    async with on_stage(temporal_client, script) as stage:
        result, _ = await swept(stage, wanted())
    assert script.names() == [
        "look_at_received", "look_at_events", "heal_gaps", "look_at_events", "look_at_balance", "heal_gaps"
    ]  # fmt: skip
    assert [look.after for look in script.inputs("look_at_events")] == ["", "evt_100"]
    assert result.looked == {Source.RECEIVED: 0, Source.EVENTS: 107, Source.BALANCE: 3}
    assert result.missed == {Why.NEVER_DELIVERED: 2}
    assert [(one.about, one.source) for one in result.gaps] == [("pi_1", Source.EVENTS), ("pi_2", Source.BALANCE)]
    assert (result.since, result.until) == (NOON - timedelta(hours=1), NOON)


async def test_many_gaps_are_told_a_few_at_a_time(temporal_client: Client) -> None:
    """Sixty of one page are three activities, in order."""
    gaps = tuple(gap(f"pi_{number}") for number in range(60))
    script = Script({"look_at_events": Looked(count=60, gaps=gaps)})
    async with on_stage(temporal_client, script) as stage:
        result, _ = await swept(stage, wanted())
    told = [[one.heard.about for one in lacking.gaps] for lacking in script.inputs("heal_gaps")]
    assert [len(some) for some in told] == [25, 25, 10]
    assert [about for some in told for about in some] == [one.heard.about for one in gaps]
    assert result.missed == {Why.NEVER_DELIVERED: 60}


async def test_a_long_time_is_swept_in_windows_each_in_a_fresh_history(temporal_client: Client) -> None:
    """Three days are three runs, without a hole between them, and one result."""
    script = Script({"look_at_events": lambda look: Looked(count=1, gaps=(gap(f"pi_{look.since:%d}"),))})
    async with on_stage(temporal_client, script) as stage:
        result, handle = await swept(stage, wanted(since=NOON - 3 * DAY + timedelta(hours=1)))
        first = stage.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
        assert (await first.describe()).status is WorkflowExecutionStatus.CONTINUED_AS_NEW
    looks = script.inputs("look_at_received")
    assert [look.until for look in looks[:-1]] == [look.since for look in looks[1:]]
    assert (looks[0].since, looks[-1].until, len(looks)) == (NOON - 3 * DAY + timedelta(hours=1), NOON, 3)
    assert (result.since, result.until, result.missed) == (looks[0].since, NOON, {Why.NEVER_DELIVERED: 3})


async def test_of_what_is_older_than_events_only_the_money_is_asked(temporal_client: Client) -> None:
    """Stripe keeps events for thirty days; the result says from when on they told."""
    script = Script()
    async with on_stage(temporal_client, script) as stage:
        old = datetime.now(UTC) - 40 * DAY
        result, _ = await swept(stage, wanted(since=old, until=old + DAY))
        across, _ = await swept(stage, wanted(since=old, until=datetime.now(UTC), sweep=SweepPolicy(window=60 * DAY)))
    [look] = script.inputs("look_at_events")
    assert script.names().count("look_at_balance") == 2
    assert result.events_from == result.until
    assert across.events_from == look.since
    assert abs(datetime.now(UTC) - 30 * DAY - look.since) < timedelta(minutes=1)


@no_times
async def test_a_time_that_has_not_been_is_refused(temporal_client: Client, since: datetime, until: datetime) -> None:
    """Reversed, empty or in the future: the run closes at once and says so."""
    script = Script()
    async with on_stage(temporal_client, script) as stage:
        await refused(swept(stage, wanted(since=since, until=until)))
    assert script.names() == []


async def test_a_regular_sweep_says_how_far_it_came(temporal_client: Client) -> None:
    """Without one before it looks back by its policy; up to what may still be on its way, except where it pulls."""
    script = Script()
    policy = SweepPolicy(look_back=timedelta(hours=2), settle=timedelta(minutes=10))
    async with on_stage(temporal_client, script) as stage:
        for pull in (False, True):
            await swept(stage, SweepInput(connection="shop", policy=QUICK, sweep=policy, pull=pull))
    pushed, pulled = script.inputs("look_at_events")
    assert abs(datetime.now(UTC) - timedelta(hours=2) - pushed.since) < timedelta(minutes=1)
    assert pushed.until - pushed.since == timedelta(hours=2) - policy.settle
    assert pulled.until - pulled.since == timedelta(hours=2)
    assert [note.until for note in script.inputs("note_sweep")] == [pushed.until, pulled.until]
    assert len(script.inputs("watch_quota")) == 2


async def test_a_sweep_does_not_fail_for_people_who_cannot_be_warned(temporal_client: Client) -> None:
    """Nobody took the warning of the quota, after five tries: the sweep is done all the same."""
    script = Script({"watch_quota": ApplicationError("nobody took it", type="TryLater")})
    async with on_stage(temporal_client, script) as stage:
        result, _ = await swept(stage, SweepInput(connection="shop", policy=QUICK))
    assert (result.missed, len(script.inputs("watch_quota"))) == ({}, 5)


@pytest.mark.parametrize("remembered", [True, False])
async def test_a_new_shop_is_not_swept_from_before_it_was_connected(temporal_client: Client, remembered: bool) -> None:
    """Its schedule was made a minute ago: older payments may be in the books by hand, unless we carried some before."""
    minute, hours = timedelta(minutes=1), timedelta(hours=5)
    now = datetime.now(UTC)
    script = Script({"find_beginning": Beginning(at=now - hours if remembered else None)})
    async with on_stage(temporal_client, script) as stage:
        result, _ = await swept(stage, SweepInput(connection="shop", policy=QUICK, pull=True, begun=now - minute))
    [look] = script.inputs("look_at_events")
    assert look.since == result.begun == (now - hours if remembered else now - minute)
