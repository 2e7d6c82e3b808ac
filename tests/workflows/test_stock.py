"""Oversell and adjustments in a payment's story."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError

from domain.adjustments import AdjustmentsFound, AdjustmentWritten, SetsFound
from domain.documents import Part
from domain.policy import Oversell, Ship
from domain.sales import OrderWritten
from domain.stock import StockAnswer, Verdict
from tests.workflows.fakes import Script, on_stage
from tests.workflows.samples import QUICK, TOTAL, known_plan
from tests.workflows.test_attention import standing
from tests.workflows.test_payments import STORY, carry, parked, plans, until_parked
from workflows import contract

HOLD = QUICK.model_copy(update={"oversell": Oversell.HOLD, "oversell_patience": timedelta(seconds=10)})
HASTY = HOLD.model_copy(update={"oversell_patience": timedelta(0)})
BACKORDER = HASTY.model_copy(update={"oversell": Oversell.BACKORDER, "ship": Ship.WHEN_PAID})
SHORT = StockAnswer(verdict=Verdict.TOO_LITTLE, short=("MUG (1 wanted, 0 left)",))
LATER = StockAnswer(verdict=Verdict.LATER, short=("MUG (1 wanted, 1 left)",), before=("pi_before",))
PARTS = (Part(item_id="i-2", sku="MUG", quantity=2),)
SET = {"sets": ("i-1",), "parts": PARTS}


def with_set(wanted: Any) -> Any:
    """The plan of an order of one set."""
    return known_plan(wanted.payment_id, **SET)


async def test_goods_are_reserved_before_the_order_is_written(temporal_client: Client) -> None:
    """One look more, and the order knows that our store has to hear of its confirmation."""
    script = Script()
    await carry(temporal_client, script, policy=HOLD)
    assert script.names() == [*STORY[:2], "reserve_stock", *STORY[2:]]
    assert script.inputs("reserve_stock")[0].item_ids == ("i-1",)
    assert [script.inputs(name)[0].reserved for name in ("create_sales_order", "confirm_sales_order")] == [True, True]


async def test_who_does_not_mind_looks_at_nothing(temporal_client: Client) -> None:
    """By default no call is spent, also where the run parks."""
    script = Script({"create_invoice": ApplicationError("no", {"service": "zoho"}, type="Refused", non_retryable=True)})
    await parked(temporal_client, script)
    assert not {"reserve_stock", "release_stock", "sell_beyond_stock"} & set(script.names())


async def test_too_little_parks_with_nothing_written(temporal_client: Client) -> None:
    """The order is not there either: a person is asked, what was reserved is let go, and there is nothing to undo."""
    script = Script({"reserve_stock": SHORT})
    trouble = await parked(temporal_client, script, policy=HOLD)
    assert (trouble.attention_class, trouble.step, trouble.skippable) == ("oversold", "stock", True)
    assert "MUG (1 wanted, 0 left)" in trouble.message
    assert script.names()[2:] == ["reserve_stock", "find_sales_order", "release_stock", "note_waiting"]


async def test_order_that_is_confirmed_is_not_held(temporal_client: Client) -> None:
    """Our memory was lost and the order itself has the last piece."""
    there = OrderWritten(salesorder_id="so-1", status="confirmed", total=TOTAL, line_item_ids=("l-1",))
    script = Script(
        {
            "reserve_stock": SHORT,
            "find_sales_order": there,
            "read_sales_order": there,
            "create_sales_order": OrderWritten(taken=True),
        }
    )
    result, _ = await carry(temporal_client, script, policy=HOLD)
    assert result["stage"] == "paid"
    assert "confirm_sales_order" not in script.names()


async def test_others_are_waited_for_and_looked_at_again(temporal_client: Client) -> None:
    """Payments before this one may let go: no person is asked while they may."""
    script = Script({"reserve_stock": [LATER, LATER, StockAnswer()]})
    await carry(temporal_client, script, policy=HOLD)
    assert script.names().count("reserve_stock") == 3


async def test_patience_ends_and_names_who_is_in_the_way(temporal_client: Client) -> None:
    """After the policy's time a person hears which payments hold the last pieces."""
    trouble = await parked(temporal_client, Script({"reserve_stock": LATER}), policy=HASTY)
    assert trouble.attention_class == "oversold"
    assert "pi_before" in trouble.message


@pytest.mark.parametrize(("answer", "looks"), [({"action": "retry"}, 2), ({"action": "skip", "reason": "soon"}, 1)])
async def test_answers_to_oversold(temporal_client: Client, answer: dict[str, str], looks: int) -> None:
    """Retry looks again; skip reserves without a look, so that others count it, and sells."""
    script = Script({"prepare_order": plans(), "reserve_stock": [SHORT, StockAnswer()]})
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.start(stage.payment(policy=HOLD))
        await until_parked(handle)
        await temporal_client.get_workflow_handle(handle.id).signal(contract.RESUME, answer)
        result = await temporal_client.get_workflow_handle(handle.id).result()
    assert result["stage"] == "paid"
    assert script.names().count("reserve_stock") == looks
    assert script.names().count("sell_beyond_stock") == 2 - looks


async def test_backorder_is_marked_reserved_and_not_shipped(temporal_client: Client) -> None:
    """Written with the mark, though the shop ships nothing leaves the house."""
    beyond = StockAnswer(beyond=True, short=SHORT.short)
    script = Script({"reserve_stock": SHORT, "sell_beyond_stock": beyond})
    result, _ = await carry(temporal_client, script, policy=BACKORDER)
    assert script.inputs("create_sales_order")[0].backordered == SHORT.short
    assert "create_package" not in script.names()
    assert result["shipment_id"] == ""


async def test_backorder_stays_one_when_the_story_is_told_again(temporal_client: Client) -> None:
    """After an answer the goods are known to be short, and still nothing is shipped."""
    beyond = StockAnswer(beyond=True, short=SHORT.short)
    refused = ApplicationError("no", {"service": "zoho"}, type="Refused", non_retryable=True)
    left: list[Any] = [refused]
    script = Script(
        {
            "prepare_order": plans(),
            "reserve_stock": [SHORT, beyond],
            "sell_beyond_stock": beyond,
            "write_back": lambda _: left.pop() if left else {},
        }
    )
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.start(stage.payment(policy=BACKORDER))
        await until_parked(handle)
        await temporal_client.get_workflow_handle(handle.id).signal(contract.RESUME, "retry")
        await temporal_client.get_workflow_handle(handle.id).result()
    assert "create_package" not in script.names()
    assert script.names().count("sell_beyond_stock") == 1


async def test_parts_are_adjusted_after_the_invoice_and_before_the_payment(temporal_client: Client) -> None:
    """One look whether documents move them, one adjustment; the run is found by its id."""
    script = Script({"prepare_order": with_set})
    _, handle = await carry(temporal_client, script)
    assert script.names() == [*STORY[:-2], "check_sets", "adjust_stock", *STORY[-2:]]
    assert script.inputs("adjust_stock")[0].parts == PARTS
    assert "ad-1" in (await handle.describe()).typed_search_attributes[contract.BUSINESS_IDS]


async def test_lost_adjustment_is_looked_for_before_it_is_written_again(temporal_client: Client) -> None:
    """Looked for twice and not there: one more try, which says after how many it was looked."""
    lost = AdjustmentWritten(unknown=True, asked=1)
    good = AdjustmentWritten(adjustment_id="ad-1")
    script = Script({"prepare_order": with_set, "adjust_stock": [lost, good]})
    await carry(temporal_client, script)
    assert [wanted.after for wanted in script.inputs("adjust_stock")] == [0, 1]
    assert script.names().count("find_adjustments") == 2
    found = Script({"prepare_order": with_set, "adjust_stock": lost})
    found.answers["find_adjustments"] = AdjustmentsFound(adjustment_ids=("ad-7",))
    await carry(temporal_client, found)
    assert found.names().count("adjust_stock") == 1


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (SetsFound(moved=("GIFT-SET",)), "Zoho itself moves the stock of GIFT-SET"),
        (SetsFound(untracked=("MUG",)), "Zoho tracks no stock of MUG"),
    ],
)
async def test_what_would_count_twice_parks_and_can_be_left_out(
    temporal_client: Client, found: SetsFound, words: str
) -> None:
    """Nothing is adjusted; a person may go on without it."""
    script = Script({"prepare_order": with_set, "check_sets": found})
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.start(stage.payment())
        trouble = await until_parked(handle)
        assert (trouble.attention_class, trouble.step) == ("set_in_stock", "adjust")
        assert words in trouble.message
        answer = {"action": "skip", "reason": "counted by hand"}
        await temporal_client.get_workflow_handle(handle.id).signal(contract.RESUME, answer)
        result = await temporal_client.get_workflow_handle(handle.id).result()
    assert result["stage"] == "paid"
    assert "adjust_stock" not in script.names()


@pytest.mark.parametrize("stays", [False, True])
async def test_cancel_deletes_the_adjustment_or_says_that_it_stands(temporal_client: Client, stays: bool) -> None:
    """Taken back after the payment and before the invoice, seen to be gone; one that stays parks loudly."""
    there = ["ad-1"]

    def restore(_: Any) -> dict[str, Any]:
        if not stays:
            there.clear()
        return {}

    script = Script(
        {
            "prepare_order": with_set,
            "write_back": RuntimeError("away"),
            **standing(),
            "find_adjustments": lambda _: AdjustmentsFound(adjustment_ids=tuple(there)),
            "restore_stock": restore,
        }
    )
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.start(stage.payment())
        async with asyncio.timeout(20):
            while "write_back" not in script.names():
                await asyncio.sleep(0.02)
        await handle.cancel()
        again = temporal_client.get_workflow_handle(handle.id)
        if stays:
            trouble = await until_parked(again)
            assert (trouble.attention_class, "the adjustment of stock" in trouble.message) == ("undo_failed", True)
            await again.terminate()
        else:
            with pytest.raises(WorkflowFailureError):
                await again.result()
    undone = [n for n in script.names() if n in ("delete_payment", "restore_stock", "void_invoice")]
    assert undone == (
        ["delete_payment", "restore_stock"] if stays else ["delete_payment", "restore_stock", "void_invoice"]
    )


async def test_cancel_lets_go_of_what_was_reserved(temporal_client: Client) -> None:
    """Cancelled before the order is confirmed: the pieces are free."""
    script = Script({"prepare_order": plans(), "create_sales_order": RuntimeError("away")})
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.start(stage.payment(policy=HOLD))
        async with asyncio.timeout(20):
            while "create_sales_order" not in script.names():
                await asyncio.sleep(0.02)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    assert script.names()[-1] == "release_stock"
