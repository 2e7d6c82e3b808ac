"""Checks of payouts through everything: an event that is lost for good is made up for, and nothing is done twice."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, ScheduleOverlapPolicy

from domain.certified import Certificate
from domain.payout_checks import PayoutPolicy, PayoutsChecked
from tests.endtoend.outcomes import everything_told
from tests.endtoend.sweeping import all_closed, until
from tests.endtoend.test_payouts import NEVER, certified, paid, paid_out, run_of, step
from tests.house import House, a_house
from workflows import contract
from workflows.schedules import keep_schedules

HOUR = timedelta(hours=1)


async def checked(house: House, **changes: Any) -> PayoutsChecked:
    """What a check of the last hour came to, up to this very second."""
    now = datetime.now(UTC)
    wanted = house.connection.payout_checks().model_copy(
        update={"since": now - HOUR, "until": now + timedelta(seconds=1), "regular": False, **changes}
    )
    found = await house.client.execute_workflow(
        contract.PAYOUT_CHECK_WORKFLOW,
        wanted,
        id=contract.payout_check_workflow_id(house.slug, uuid.uuid4().hex, "now"),
        task_queue=house.queue,
        result_type=PayoutsChecked,
    )
    return PayoutsChecked.model_validate(found)


async def test_payouts_nobody_told_of_are_certified_and_only_once(temporal_client: Client, tmp_path: Path) -> None:
    """No event of a payout ever comes: the check finds each state, the failure too, and asks Zoho nothing."""
    async with a_house(temporal_client, tmp_path, events=("payment_intent.succeeded",)) as house:
        await house.post(f"{house.stripe_url}/_switches", NEVER)
        await paid(house)
        calls = (await house.zoho(only="calls"))["calls"]
        payout_id = await paid_out(house)
        on_its_way = await checked(house)
        assert (on_its_way.count, on_its_way.under_way, on_its_way.told) == (1, 1, ())
        await step(house, payout_id, "pay")
        await step(house, payout_id, "reconcile")
        first = await checked(house)
        assert [(one.payout_id, one.status) for one in first.told] == [(payout_id, "paid")]
        made = await certified(house, payout_id)
        again = await checked(house)
        assert (again.certified, again.told) == (1, ())
        await step(house, payout_id, "fail")
        assert [one.status for one in (await checked(house)).told] == ["failed"]
        later = await certified(house, payout_id, 2)
        assert (later.certificate.previous, later.certificate.payout.status) == (made.hash, "failed")
        assert (await checked(house)).certified == 1
        assert (await house.zoho(only="calls"))["calls"] == calls
        healed = await house.store.events.healed(house.slug)
        assert {(row.business_id, row.type, row.outcome) for row in healed} == {
            (payout_id, "payout.paid", "healed-no-certificate"), (payout_id, "payout.failed", "healed-no-certificate")
        }  # fmt: skip


async def test_a_payout_whose_run_was_ended_is_left_to_the_person_who_asks(
    temporal_client: Client, tmp_path: Path
) -> None:
    """The nightly check does not begin it anew; one that somebody asks for does."""
    async with a_house(temporal_client, tmp_path, events=("payment_intent.succeeded", "payout.paid")) as house:
        await house.post(f"{house.stripe_url}/_switches", NEVER)
        await paid(house)
        payout_id = await paid_out(house)
        await step(house, payout_id, "pay")  # not reconciled, so its run waits
        await until(lambda: started(house, payout_id))
        await run_of(house, payout_id).terminate()
        await step(house, payout_id, "reconcile")
        regular = await checked(house, regular=True)
        assert (regular.left, regular.told) == (1, ())
        assert [one.payout_id for one in (await checked(house)).told] == [payout_id]
        await certified(house, payout_id)


async def test_what_was_open_is_certified_anew_when_somebody_asks(temporal_client: Client, tmp_path: Path) -> None:
    """A dispute is decided after its payout was certified: the next version has its document, and nothing is open."""
    async with a_house(temporal_client, tmp_path) as house:
        first, dispute_id = await disputed(house)
        payout_id = first.certificate.payout.id
        await decide(house, dispute_id, "lost")
        assert (await checked(house)).certified == 1
        assert [one.payout_id for one in (await checked(house, open_too=True)).told] == [payout_id]
        second = await certified(house, payout_id, 2)
        assert (second.certificate.findings, second.certificate.previous) == ([], first.hash)
        assert (await checked(house, open_too=True)).certified == 1
        assert await house.store.events.healed(house.slug) == []


@pytest.mark.parametrize("outcome", ["lost", "won"])
async def test_what_was_open_is_seen_by_the_nightly_check(
    temporal_client: Client, tmp_path: Path, outcome: str
) -> None:
    """However long ago the payout was made: not before the dispute is decided, once then, and Zoho is asked nothing.
    Of one that is won nothing is open any more, for its money came back.
    """
    async with a_house(temporal_client, tmp_path) as house:
        first, dispute_id = await disputed(house)
        payout_id = first.certificate.payout.id
        nightly = {"regular": True, "since": datetime.now(UTC) + timedelta(milliseconds=1)}
        undecided = await checked(house, **nightly)
        assert (undecided.matched, undecided.told) == (1, ())
        await decide(house, dispute_id, outcome)
        calls = (await house.zoho(only="calls"))["calls"]
        assert [one.payout_id for one in (await checked(house, **nightly)).told] == [payout_id]
        second = await certified(house, payout_id, 2)
        assert (second.certificate.findings, second.certificate.previous) == ([], first.hash)
        again = await checked(house, **nightly)
        assert (again.matched, again.told) == (0, ())
        assert (await house.zoho(only="calls"))["calls"] == calls
        assert await house.store.events.healed(house.slug) == []


async def disputed(house: House) -> tuple[Certificate, str]:
    """The certificate of a payout with a dispute that is not decided, and the dispute's id."""
    await house.post(f"{house.stripe_url}/_switches", NEVER)
    made = await paid(house)
    await paid(house)
    dispute = await house.post(f"{house.stripe_url}/_charges/{made['charge']}/dispute", {})
    await everything_told(house)
    payout_id = await paid_out(house)
    await step(house, payout_id, "pay")
    await step(house, payout_id, "reconcile")
    first = await certified(house, payout_id)
    assert [one.kind for one in first.certificate.findings] == ["dispute_missing"]
    return first, str(dispute["id"])


async def decide(house: House, dispute_id: str, outcome: str) -> None:
    """The dispute is decided, and booked where it is lost."""
    await house.post(f"{house.stripe_url}/_disputes/{dispute_id}/close", {"outcome": outcome})
    await everything_told(house)
    await all_closed(house)


async def started(house: House, payout_id: str) -> bool:
    """Whether the payout has a run."""
    query = f"WorkflowId = '{contract.payout_workflow_id(house.slug, payout_id)}'"
    return bool((await house.client.count_workflows(query)).count)


async def test_the_schedule_is_nightly_and_goes_on_where_the_last_check_ended(
    temporal_client: Client, tmp_path: Path
) -> None:
    """At its hour in the shop's zone, with jitter; after a downtime once; a paused one stays paused."""
    policy = PayoutPolicy(hour=4, look_back=timedelta(days=7))
    async with a_house(temporal_client, tmp_path, payouts=policy, time_zone="Europe/Berlin") as house:
        schedule = temporal_client.get_schedule_handle(contract.payout_check_schedule_id(house.slug))
        made = datetime.now(UTC)
        old = made - timedelta(days=90)
        await house.store.events.saw(
            house.slug, "evt_old", type="payout.paid", business_id="po_old", outcome="accepted", at=old
        )
        await keep_schedules(temporal_client, [house.connection.payout_checks()], made, queue=house.queue)
        try:
            about = await schedule.describe()
            nights = {at.astimezone(UTC).hour for at in about.info.next_action_times}
            assert nights <= {2, 3}  # four o'clock in Berlin, whether summer or winter
            assert about.schedule.policy.overlap is ScheduleOverlapPolicy.SKIP
            assert (about.schedule.policy.catchup_window or timedelta(0)) >= timedelta(days=1)
            assert about.schedule.spec.jitter
            results = []
            for ran in (1, 2):
                await schedule.trigger()
                results.append(await result_of(house, ran))
            first, second = results
            # We have carried this shop for long, so that each looks back from where the one before it ended.
            assert (first.begun, second.begun) == (old, old)
            assert (first.until - first.since, second.since) == (policy.look_back, first.until - policy.look_back)
            await schedule.pause(note="by a person")
            later = house.connection.model_copy(update={"payouts": PayoutPolicy(hour=5)})
            await keep_schedules(temporal_client, [later.payout_checks()], datetime.now(UTC), queue=house.queue)
            again = (await schedule.describe()).schedule
            assert (again.spec.calendars[0].hour[0].start, again.state.paused) == (5, True)
        finally:
            await schedule.delete()


async def result_of(house: House, count: int) -> PayoutsChecked:
    """The result of the newest check, once there are so many."""
    query = f"Connection = '{house.slug}' AND WorkflowType = '{contract.PAYOUT_CHECK_WORKFLOW}'"
    closed = f"{query} AND ExecutionStatus = 'Completed'"
    async with asyncio.timeout(60):
        while (await house.client.count_workflows(closed)).count < count:
            await asyncio.sleep(0.1)
    runs = [run async for run in house.client.list_workflows(closed)]
    newest = max(runs, key=lambda run: run.start_time)
    handle = house.client.get_workflow_handle(newest.id, result_type=PayoutsChecked)
    return PayoutsChecked.model_validate(await handle.result())
