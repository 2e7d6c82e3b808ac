"""Returns that are aborted, through everything: what got lost on the way back, and what is booked when begun anew."""

from __future__ import annotations

from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowFailureError

from domain.policy import ReturnTrigger
from domain.runs import Stage
from tests.endtoend.test_refunds import stock
from tests.endtoend.zoho_desk import Desk, a_sale, answer, ended, parked, return_shop, sound, tell


async def test_goods_whose_way_back_was_never_answered_are_received_again(
    temporal_client: Client, tmp_path: Path
) -> None:
    """Aborted, the receive is deleted and the answer lost; begun anew, it is another effect and not the old one."""
    async with return_shop(temporal_client, tmp_path, trigger=ReturnTrigger.APPROVED) as house:
        await a_sale(house)
        made = await Desk(house).enters(("MUG", 1, 0))
        await house.fault("zoho", method="PUT", path=r"/salesreturns/\d+$", fault="refuse", code=4711)
        await house.fault("zoho", method="DELETE", path="/salesreturnreceives/", fault="lost")
        await tell(house, made)
        await parked(house, made)
        await answer(house, made, "abort", reason="too soon")
        with pytest.raises(WorkflowFailureError):
            await ended(house, made)
        assert (await house.zoho(only="receives"))["receives"] == []
        assert await stock(house) == (2, 2, 0)
        await tell(house, made, again=True)
        assert (await ended(house, made))["stage"] == Stage.CREDITED
        assert len((await house.zoho(only="receives"))["receives"]) == 1
        assert await stock(house) == (1, 1, 0)
        await sound(house)
