"""A refund that fails, whose books somebody has put right by hand before the run heard of it: given back again, it is
booked again, for what was written for the first one is no answer for the second.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from temporalio.client import Client

from domain.attention import AttentionClass
from domain.numbers import order_number
from domain.runs import Stage
from tests.endtoend import test_adjustments as adjustments
from tests.endtoend.zoho_desk import (
    Desk,
    a_return,
    a_sale,
    answer,
    ended,
    parked,
    proposal_shop,
    return_shop,
    sound,
)
from tests.house import House


async def unpaid_by_hand(house: House) -> str:
    """Somebody deletes the refund of the one credit note in Zoho; the note's path there."""
    ledger = await house.zoho()
    (note,), (paid,) = ledger["creditnotes"], ledger["refunds"]
    path = f"/creditnotes/{note['creditnote_id']}"
    await Desk(house).call("DELETE", f"{path}/refunds/{paid['creditnote_refund_id']}")
    return path


async def test_the_second_refund_of_a_return_is_booked(temporal_client: Client, tmp_path: Path) -> None:
    """The credit note stands, and was open again before we came to open it."""
    async with return_shop(temporal_client, tmp_path) as house:
        await a_sale(house)
        made = await a_return(house, ("MUG", 1, 0))
        first = await ended(house, made)
        await unpaid_by_hand(house)
        await house.post(f"{house.stripe_url}/_refunds/{first['refund_id']}/fail", {})
        assert (await parked(house, made)).attention_class is AttentionClass.REFUND_FAILED
        await answer(house, made, "retry")
        second = await ended(house, made)
        assert (second["stage"], second["refund_id"] != first["refund_id"]) == (Stage.CREDITED, True)
        ledger = await house.zoho()
        assert [(note["status"], len(ledger["refunds"])) for note in ledger["creditnotes"]] == [("closed", 1)]
        rows = (await house.stripe(only="refunds"))["refunds"]
        (stands,) = [row for row in rows if row["id"] == second["refund_id"]]
        assert stands["metadata"]["zoho_creditnote_id"] == ledger["creditnotes"][0]["creditnote_id"]
        await sound(house)


async def test_the_second_refund_of_an_adjustment_has_a_credit_note(temporal_client: Client, tmp_path: Path) -> None:
    """The first one's was void before we came to void it."""
    async with proposal_shop(temporal_client, tmp_path) as house:
        number = order_number(await a_sale(house))
        made = await adjustments.adjusted(house, ("MUG", 1), reference=number)
        first = await adjustments.agreed(house, made)
        await Desk(house).call("POST", f"{await unpaid_by_hand(house)}/void")
        await house.post(f"{house.stripe_url}/_refunds/{first['refund_id']}/fail", {})
        async with asyncio.timeout(60):
            while (await adjustments.run_of(house, made).describe()).status != adjustments.RUNNING:
                await asyncio.sleep(0.05)
        await adjustments.asks(house, made, AttentionClass.REFUND_FAILED)
        await adjustments.answer(house, made, "retry")
        second = await adjustments.agreed(house, made)
        assert second["refund_id"] != first["refund_id"]
        ledger = await house.zoho()
        assert sorted(note["status"] for note in ledger["creditnotes"]) == ["closed", "void"]
        assert len(ledger["refunds"]) == 1
        await adjustments.sound(house)
