"""The run that reads Zoho's list of returns: which pages, how often, and that nothing ends it but the shop."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.exceptions import ApplicationError

from domain.policy import PaymentPolicy, ReturnPolicy
from domain.return_polls import ReturnPage, ReturnRow
from tests.workflows.fakes import Script, on_stage
from tests.workflows.samples import PROMPT
from tests.workflows.test_attention import shown
from tests.workflows.test_quota import gone
from workflows import contract


def every(seconds: float) -> PaymentPolicy:
    """A shop whose list is read so often."""
    returns = PROMPT.returns.model_copy(update={"poll_every": timedelta(seconds=seconds)})
    return PROMPT.model_copy(update={"returns": returns})


def also_adjustments(policy: PaymentPolicy) -> PaymentPolicy:
    """The same shop, whose adjustments may propose refunds."""
    returns = policy.returns.model_copy(update={"adjustment_reason": "Customer return"})
    return policy.model_copy(update={"returns": returns})


RARELY, OFTEN = every(3600), every(0.02)
OFF = PROMPT.model_copy(update={"returns": ReturnPolicy()})
NEWS = ReturnRow(return_id="ret-1", day="2026-11-26", state="approved")
NEW = ReturnPage(rows=(NEWS,), told=("ret-1",), more=True)
OLD = ReturnPage(known=200, more=True)
LAST = ReturnPage(known=7)


def anew() -> str:
    """A connection that nobody else has."""
    return f"shop-{uuid.uuid4().hex}"


async def until(script: Script, holds: Callable[[list[str]], bool]) -> None:
    """Once the calls that were made are as wanted."""
    async with asyncio.timeout(30):
        while not holds(script.names()):
            await asyncio.sleep(0.01)


async def walked(client: Client, script: Script, *, polls: int, calls: int) -> list[tuple[str, Any]]:
    """The first `calls` calls of a run that has read the list `polls` times, and makes no more by itself."""
    async with on_stage(client, script) as stage:
        handle = await stage.polls(RARELY, anew(), polls)
        await until(script, lambda names: len(names) >= calls)
        await said(handle)
        await handle.terminate()
    assert len(script.asked) == calls
    return script.asked


async def said(handle: WorkflowHandle[Any, Any]) -> str:
    """What the run shows once it has walked through the list."""
    async with asyncio.timeout(30):
        while "UTC: Zoho's list" not in (text := await shown(handle)):
            await asyncio.sleep(0.01)
    return text


async def waits(handle: WorkflowHandle[Any, Any]) -> None:
    """Until the run has a timer for when it reads again."""
    async with asyncio.timeout(30):
        while not any(
            event.HasField("timer_started_event_attributes") for event in (await handle.fetch_history()).events
        ):
            await asyncio.sleep(0.01)


def pages(script: Script) -> list[int]:
    """The pages that were read, in order."""
    return [wanted.page for wanted in script.inputs("list_returns")]


async def test_pages_are_read_while_they_have_news(temporal_client: Client) -> None:
    """Each return that counts is told, then the page is remembered; the first page without news is the last."""
    script = Script({"list_returns": [NEW, OLD, LAST]})
    await walked(temporal_client, script, polls=1, calls=4)
    assert script.names() == ["list_returns", "tell_return", "keep_returns", "list_returns"]
    assert pages(script) == [1, 2]
    (told,) = script.inputs("tell_return")
    assert (told.return_id, told.event.source, told.again) == ("ret-1", "poll", False)
    assert script.inputs("keep_returns")[0].rows == (NEWS,)


async def test_the_first_time_every_page_is_read(temporal_client: Client) -> None:
    """News or not; then it is remembered that all of them were seen, and not before."""
    rows = tuple(page.model_copy(update={"first": True, "told": ()}) for page in (NEW, OLD, LAST))
    script = Script({"list_returns": list(rows)})
    await walked(temporal_client, script, polls=5, calls=5)
    assert script.names() == ["list_returns", "keep_returns", "list_returns", "list_returns", "keep_returns"]
    assert [kept.begun for kept in script.inputs("keep_returns")] == [False, True]


async def test_a_worker_that_starts_has_the_list_read_once(temporal_client: Client) -> None:
    """Its word comes with the start of the run, whose first walk serves it; one during a walk has it read again."""
    script = Script({"list_returns": [OLD, LAST]})
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.polls(RARELY, anew(), 1, told=True)
        await waits(handle)
        assert pages(script) == [1]
        await handle.signal(contract.LOOK_NOW)
        await until(script, lambda names: len(names) == 2)
        await handle.terminate()


@pytest.mark.parametrize(("polls", "read"), [(23, 1), (24, 3), (25, 1)])
async def test_the_whole_list_is_read_every_24th_time(temporal_client: Client, polls: int, read: int) -> None:
    """Rows move while pages are read, so what the newest pages do not show is found then."""
    script = Script({"list_returns": [OLD, OLD, LAST] if read == 3 else OLD})
    await walked(temporal_client, script, polls=polls, calls=read)
    assert pages(script) == list(range(1, read + 1))


@pytest.mark.parametrize("refused", ["list_returns", "tell_return", "keep_returns"])
async def test_a_call_that_is_refused_ends_the_walk_and_not_the_run(temporal_client: Client, refused: str) -> None:
    """It says why, and what was not remembered is read and told again the next time."""
    script = Script({"list_returns": [NEW.model_copy(update={"more": False})]})
    why = ApplicationError("no right to read returns", type="NotAllowed", non_retryable=True)
    script.answers[refused] = why
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.polls(RARELY, anew(), 1)
        assert "no right to read returns" in await said(handle)
        first = script.names()
        script.answers[refused] = NEW.model_copy(update={"more": False}) if refused == "list_returns" else None
        await handle.signal(contract.LOOK_NOW)
        await until(script, lambda names: names[len(first) :] == ["list_returns", "tell_return", "keep_returns"])
        await handle.terminate()


async def test_a_zoho_that_is_away_is_asked_until_it_answers(temporal_client: Client) -> None:
    """The same page, and then it goes on."""
    away = ApplicationError("Zoho answered 503", type="TryLater")
    script = Script({"list_returns": [away, away, away, LAST]})
    await walked(temporal_client, script, polls=1, calls=4)
    assert pages(script) == [1, 1, 1, 1]


async def test_a_day_without_quota_is_waited_for(temporal_client: Client) -> None:
    """The walk goes on where it stopped."""
    script = Script({"list_returns": [NEW, gone(0.5), LAST]})
    await walked(temporal_client, script, polls=1, calls=5)
    assert pages(script) == [1, 2, 2]


async def test_it_reads_from_time_to_time_and_counts(temporal_client: Client) -> None:
    """The 24th time of a long run is the whole list again."""
    script = Script({"list_returns": lambda wanted: OLD if wanted.page < 3 else LAST})
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.polls(OFTEN, anew())
        await until(script, lambda names: len(names) >= 30)
        await handle.terminate()
    assert pages(script)[:29] == [1, 2, 3, *[1] * 23, 1, 2, 3]


async def test_a_long_run_goes_on_in_a_fresh_history(temporal_client: Client) -> None:
    """It still knows how often it has read the list."""
    large = ReturnPage(known=1, rows=(NEWS.model_copy(update={"state": "x" * 1_500_000}),))
    script = Script({"list_returns": [large, large, LAST]})
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.polls(OFTEN, anew())
        latest = temporal_client.get_workflow_handle(handle.id)
        async with asyncio.timeout(30):
            while (about := await latest.describe()).run_id == handle.first_execution_run_id:
                await asyncio.sleep(0.02)
        first = (await latest.fetch_history()).events[0].workflow_execution_started_event_attributes
        (start,) = await temporal_client.data_converter.decode(first.input.payloads, [dict])
        await latest.terminate()
    assert about.history_length < 100
    assert start["polls"] >= 2


async def test_it_ends_when_the_shop_wants_it_no_more(temporal_client: Client) -> None:
    """A worker tells it the policy of now; told another pace, it takes that."""
    script = Script()
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.polls(RARELY, anew())
        await said(handle)
        await handle.signal(contract.LOOK_NOW, OFTEN)
        await until(script, lambda names: len(names) >= 4)
        await handle.signal(contract.LOOK_NOW, OFF)
        async with asyncio.timeout(20):
            await handle.result()


async def test_a_pace_of_nothing_is_never(temporal_client: Client) -> None:
    """As connections.toml can say it: not without a pause, which would use the day's quota up."""
    script, never = Script(), also_adjustments(every(0))
    async with on_stage(temporal_client, script) as stage:
        async with asyncio.timeout(20):
            await (await stage.polls(never, anew())).result()
            await (await stage.polls(never, anew(), adjustments=True)).result()
    assert script.names() == []


async def test_adjustments_are_read_by_a_run_of_their_own(temporal_client: Client) -> None:
    """Those that may be meant are told; it ends when no adjustment proposes a refund any more."""
    script = Script({"list_proposals": [NEW, LAST]})
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.polls(also_adjustments(RARELY), anew(), 1, adjustments=True)
        assert "list of adjustments read 2 of its pages" in await said(handle)
        assert script.names() == ["list_proposals", "tell_proposal", "keep_proposals", "list_proposals"]
        await handle.signal(contract.LOOK_NOW, RARELY)
        async with asyncio.timeout(20):
            await handle.result()


async def test_it_can_be_cancelled_while_zoho_is_away(temporal_client: Client) -> None:
    """A cancellation is no failure of the list."""
    script = Script({"list_returns": ApplicationError("Zoho answered 503", type="TryLater")})
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.polls(RARELY, anew())
        await until(script, lambda names: len(names) >= 2)
        await handle.cancel()
        async with asyncio.timeout(20):
            while (await handle.describe()).close_time is None:
                await asyncio.sleep(0.02)
        assert (await handle.describe()).status == WorkflowExecutionStatus.CANCELED
