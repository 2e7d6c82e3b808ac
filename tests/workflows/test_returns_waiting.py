"""A return that waits: for what the policy names, for news, for its money."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.exceptions import ApplicationError

from domain.policy import ReturnTrigger
from domain.returns import ReturnEvent
from domain.runs import Stage, StepDone
from tests.workflows.fakes import Script, on_stage
from tests.workflows.returning import (
    ABORT,
    ENTERED,
    FAILED,
    LONG_WAIT,
    NOTED,
    PENDING,
    Lively,
    anew,
    answered,
    carried,
    policy,
)
from tests.workflows.samples import PROMPT, REFUND, RETURN, UNPAID_BACK
from tests.workflows.test_payments import until_parked, until_stage
from workflows import contract


async def delays(handle: WorkflowHandle[Any, Any]) -> list[float]:
    """The run's timers in seconds, in order."""
    events = (await handle.fetch_history()).events
    started = [one.timer_started_event_attributes for one in events if one.HasField("timer_started_event_attributes")]
    return [one.start_to_fire_timeout.ToTimedelta().total_seconds() for one in started]


async def test_a_return_that_waits_is_looked_at_ever_more_rarely(temporal_client: Client) -> None:
    """After twice as long each time, until `look_at_most`."""
    script = Script({"read_return": [*[ENTERED] * 5, RETURN]})
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.return_(stage.payment(policy=policy()), anew())
        await handle.result()
        assert await delays(handle) == [0.02, 0.04, 0.08, 0.08, 0.08]
    assert script.names()[:8] == ["read_return", "remember_payment", *["read_return"] * 5, "take_turn"]


async def test_news_wakes_a_return_that_waits(temporal_client: Client) -> None:
    """It is read at once."""
    script = Script({"read_return": [ENTERED, RETURN]})
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.return_(stage.payment(policy=policy(**LONG_WAIT)), anew())
        await until_stage(handle, Stage.WAITING_FOR_RETURN)
        await handle.signal(contract.RETURN_EVENT, {"source": "webhook"})
        assert (await handle.result())["stage"] == Stage.CREDITED


@pytest.mark.parametrize("reads", ["read_return", "fetch_refund"])
async def test_news_that_comes_while_zoho_or_stripe_is_read_is_heard(temporal_client: Client, reads: str) -> None:
    """What was read may be from before: it is read again, at once and not hours later."""
    told: list[bool] = []
    left = [ENTERED, RETURN] if reads == "read_return" else [PENDING, REFUND]

    def answer(wanted: Any) -> Any:
        if not told:
            return ApplicationError("not now", type="TryLater")
        return left.pop(0) if len(left) > 1 else left[0]

    script = Script({reads: answer})
    patient = policy(**LONG_WAIT).model_copy(update={"refund_patience": PROMPT.remind_every})
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.return_(stage.payment(policy=patient), anew())
        async with asyncio.timeout(20):
            while reads not in script.names():
                await asyncio.sleep(0.01)
            await handle.signal(contract.RETURN_EVENT, {"source": "webhook"})
            told.append(True)
            assert (await handle.result())["stage"] == Stage.CREDITED


@pytest.mark.parametrize("waits", [Stage.WAITING_FOR_RETURN, Stage.WAITING_FOR_MONEY])
async def test_a_long_wait_goes_on_in_a_fresh_history(temporal_client: Client, waits: Stage) -> None:
    """What is known goes along: the payment is not looked for again, and nothing is given back twice."""
    ready: list[bool] = []
    script = Lively()
    if waits is Stage.WAITING_FOR_RETURN:
        script.answers["read_return"] = lambda wanted: RETURN if ready else ENTERED
    else:
        script.answers["fetch_refund"] = lambda wanted: REFUND if ready else PENDING
    patient = policy(**LONG_WAIT).model_copy(update={"refund_patience": PROMPT.remind_every})
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.return_(stage.payment(policy=patient), anew())
        await until_stage(handle, waits)
        for _ in range(3):  # the server suggests a fresh history from 4 MB on
            await handle.signal(contract.RETURN_EVENT, {"source": "webhook", "said": "x" * 1_500_000})
        latest = temporal_client.get_workflow_handle(handle.id)
        async with asyncio.timeout(30):
            while (await latest.describe()).run_id == handle.first_execution_run_id:
                await asyncio.sleep(0.02)
            await until_stage(latest, waits)
        assert (await latest.describe()).raw_info.history_size_bytes < 4_000_000
        ready.append(True)
        await latest.signal(contract.RETURN_EVENT, {"source": "webhook"})
        assert (await latest.result())["stage"] == Stage.CREDITED
    names = script.names()
    assert [names.count(name) for name in ("remember_payment", "give_back", "create_credit_note")] == [1, 1, 1]


async def test_a_return_that_changed_while_it_waited_for_its_turn_is_read_anew(temporal_client: Client) -> None:
    """Another run wrote for an hour, and somebody deleted the return meanwhile: no money goes back for it."""
    script = Script({"take_turn": [StepDone(asked=7), StepDone(asked=1)]})
    script.answers["read_return"] = [RETURN, RETURN.model_copy(update={"gone": True})]
    result = await carried(temporal_client, script)
    assert (result["stage"], "deleted" in result["notes"][-1]) == (Stage.REFUSED, True)
    assert "give_back" not in script.names()


async def test_a_credit_note_that_was_written_while_the_money_was_under_way_is_used(temporal_client: Client) -> None:
    """A refund takes days: what stands in Zoho by then is read, and the turn, which is not kept so long, taken anew."""
    script = Lively()
    script.answers["fetch_refund"] = [PENDING, PENDING, REFUND]
    script.answers["read_return"] = lambda wanted: NOTED if "fetch_refund" in script.names() else RETURN
    result = await carried(temporal_client, script)
    assert (result["stage"], result["refund_id"]) == (Stage.CREDITED, "re_1")
    names = script.names()
    assert "create_credit_note" not in names
    assert [one.creditnote_id for one in script.inputs("pay_out")] == ["cn-1"]
    assert [names.count(name) for name in ("give_back", "take_turn")] == [1, 2]


@pytest.mark.parametrize("then", ["arrives", "fails"])
async def test_the_trigger_counts_no_longer_once_money_has_gone_back(temporal_client: Client, then: str) -> None:
    """Somebody voids the credit note while the money is under way: the run is not silent about the money."""
    script = Lively()
    script.answers["fetch_refund"] = [PENDING, REFUND if then == "arrives" else FAILED]
    script.answers["read_return"] = lambda wanted: RETURN if "fetch_refund" in script.names() else NOTED
    if then == "arrives":
        result = await carried(temporal_client, script, trigger=ReturnTrigger.CREDIT_NOTE)
        assert (result["stage"], script.names().count("create_credit_note")) == (Stage.CREDITED, 1)
    else:
        trouble, _ = await answered(temporal_client, script, ABORT, trigger=ReturnTrigger.CREDIT_NOTE)
        assert trouble.attention_class == "refund_failed"


async def test_a_refund_that_failed_is_told_of_whatever_the_trigger_says(temporal_client: Client) -> None:
    """The bookkeeper has deleted her booking before the word of it came: the buyer's money is not forgotten."""
    once = UNPAID_BACK.model_copy(update={"failed": ("re_1",)})
    script = Script({"read_return": NOTED, "fetch_return_money": once})
    async with on_stage(temporal_client, script) as stage:
        waits = policy(ReturnTrigger.CREDIT_NOTE_REFUND, **LONG_WAIT)
        handle = await stage.return_(stage.payment(policy=waits), anew())
        await until_stage(handle, Stage.WAITING_FOR_RETURN)
        assert "fetch_return_money" not in script.names()
        await handle.signal(contract.RETURN_EVENT, ReturnEvent(source="refund", failed=True))
        async with asyncio.timeout(20):
            assert (await until_parked(handle)).attention_class == "refund_failed"


async def test_a_word_of_a_failed_refund_alone_gives_no_money_back(temporal_client: Client) -> None:
    """What a run hears is a hint: Stripe knows of no refund, so the return waits on for its trigger."""
    script = Script({"read_return": NOTED})
    async with on_stage(temporal_client, script) as stage:
        waits = policy(ReturnTrigger.CREDIT_NOTE_REFUND, **LONG_WAIT)
        handle = await stage.return_(stage.payment(policy=waits), anew())
        await until_stage(handle, Stage.WAITING_FOR_RETURN)
        await handle.signal(contract.RETURN_EVENT, ReturnEvent(source="refund", failed=True))
        async with asyncio.timeout(20):
            while "fetch_return_money" not in script.names() or script.names()[-1] != "end_turn":
                await asyncio.sleep(0.01)
        assert "give_back" not in script.names()
        await handle.terminate()
