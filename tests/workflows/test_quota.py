"""A run whose organisation has no quota left waits until the day is over, says so, and goes on by itself."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError, CancelledError

from tests.workflows.fakes import Script, on_stage
from tests.workflows.samples import ANSWERS, known_plan
from tests.workflows.test_attention import shown, standing
from tests.workflows.test_payments import STORY
from workflows import contract

SAID = "Zoho's daily quota of 5000 calls is used up"
WHEN = "2026-11-26 00:00 Europe/Berlin (23:00 UTC)"


def gone(seconds: float) -> ApplicationError:
    """The failure of a call on a day that lasts `seconds` more."""
    until = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
    details = {"service": "zoho", "code": "45", "status": 429, "until": until, "when": WHEN, "said": SAID}
    return ApplicationError(SAID, details, type="QuotaGone", non_retryable=True)


def without_quota(seconds: float, name: str, answer: Any = None) -> Script:
    """A script whose call `name` meets the day's end once."""
    script = Script({"prepare_order": lambda wanted: known_plan(wanted.payment_id)})
    script.answers[name] = [gone(seconds), answer if answer is not None else ANSWERS[name]]
    return script


async def until_it_waits(handle: WorkflowHandle[Any, Any]) -> str:
    """What the run shows once it waits for quota."""
    async with asyncio.timeout(20):
        while "waits until" not in (text := await shown(handle)):
            await asyncio.sleep(0.02)
    return text


async def timers(handle: WorkflowHandle[Any, Any]) -> list[str]:
    """The summaries of the run's timers."""
    events = (await handle.fetch_history()).events
    return [
        event.user_metadata.summary.data.decode().strip('"')
        for event in events
        if event.HasField("timer_started_event_attributes")
    ]


async def test_it_says_until_when_and_goes_on_by_itself(temporal_client: Client) -> None:
    """Details, progress and the timer's summary all tell the moment; then every step follows, none twice."""
    script = without_quota(2.5, "create_invoice")
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.start(stage.payment())
        text = await until_it_waits(handle)
        progress = await handle.query(contract.PROGRESS)
        result = await handle.result()
        after = await shown(handle)
        summaries = await timers(handle)
    assert text.startswith(f"**waits until {WHEN}: {SAID}**")
    assert progress["waits"] == f"waits until {WHEN}: {SAID}"
    assert progress["stage"] == "confirmed"
    assert result["stage"] == "paid"
    assert "waits until" not in after
    assert summaries == [f"Wait until {WHEN}: {SAID}"]
    once = list(STORY)
    once.insert(once.index("create_invoice"), "create_invoice")
    assert script.names()[-len(once) :] == once


async def test_it_waits_again_where_the_new_day_has_no_quota_either(temporal_client: Client) -> None:
    """A moment that came too early, or another program that was faster, costs another wait and nothing else."""
    script = without_quota(0, "create_sales_order")
    script.answers["create_sales_order"].insert(0, gone(-5))
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.start(stage.payment())
        assert (await handle.result())["stage"] == "paid"
        assert len(await timers(handle)) == 2


async def test_look_ups_and_undos_wait_as_well(temporal_client: Client) -> None:
    """Cancelled while it waits, a run takes back what stands; where that meets the day's end it waits for it too."""
    script = without_quota(600, "create_invoice")
    script.answers |= standing()
    script.answers["void_sales_order"] = [gone(2.5), script.answers["void_sales_order"]]
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.start(stage.payment())
        await until_it_waits(handle)
        await handle.cancel()
        async with asyncio.timeout(20):
            while "void_sales_order" not in script.names():
                await asyncio.sleep(0.02)
        await until_it_waits(handle)
        with pytest.raises(WorkflowFailureError) as raised:
            await handle.result()
    assert isinstance(raised.value.cause, CancelledError)
    assert script.names().count("void_sales_order") == 2
    assert script.names()[-1] == "close_round"


async def test_answers_are_refused_while_it_waits_by_itself(temporal_client: Client) -> None:
    """Nobody is asked, so an update is refused with the reason and a signal changes nothing."""
    async with on_stage(temporal_client, script := without_quota(3, "create_sales_order")) as stage:
        handle = await stage.start(stage.payment())
        await until_it_waits(handle)
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update(contract.RESOLVE, {"action": "retry"})
        await handle.signal(contract.RESUME, "retry")
        assert (await handle.result())["stage"] == "paid"
    assert "not waiting for an answer" in str(refused.value.cause)
    assert script.names().count("create_sales_order") == 2
    assert "tell_attention" not in script.names()


async def test_every_task_replayed_from_the_start_gives_the_same(temporal_client: Client) -> None:
    """Without a cache each task tells the whole story again, the wait included."""
    script = without_quota(1, "confirm_sales_order")
    async with on_stage(temporal_client, script, cached=0) as stage:
        handle = await stage.start(stage.payment())
        assert (await handle.result())["stage"] == "paid"
