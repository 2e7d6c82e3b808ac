"""A closed payment told once more: what stands is not written again, and what is gone is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from cli.ledger_check import check
from domain.policy import Ship
from domain.runs import Rerun, RerunStep
from ingress.starter import Starter
from tests.endtoend.backfilling import mug
from tests.endtoend.shops import Shop, Ways, a_street
from tests.endtoend.zoho_desk import Desk
from tests.house import QUICK

SHIPS = Ways(policy=QUICK.model_copy(update={"ship": Ship.WHEN_PAID}))


async def again(shop: Shop, payment_id: str, rerun: Rerun) -> tuple[dict[str, Any], list[str]]:
    """What the payment came to, and what was written to Zoho for it."""
    connections = {shop.slug: shop.connection}
    starter = Starter(shop.client, connections, task_queue=shop.queue, zoho_queue=f"{shop.queue}-zoho")
    door = shop.zoho_program.door
    place = len(door.log)
    before = (await shop.run_of(payment_id).describe()).run_id
    await starter.rerun_payment(shop.slug, payment_id, rerun)
    result = await shop.done(payment_id)
    assert (await shop.run_of(payment_id).describe()).run_id != before
    written = [f"{one.method} {one.path}" for one in door.log[place:] if one.method != "GET"]
    return result, [one.replace("/inventory/v1", "") for one in written]


async def test_what_stands_is_written_no_second_time(temporal_client: Client, tmp_path: Path) -> None:
    """As it is, from each step on: shipped, invoiced and paid once, the trail verifies; the number that is taken is
    all that is tried.
    """
    async with a_street(temporal_client, tmp_path, ["shop"], ways={"shop": SHIPS}) as shops:
        shop = shops["shop"]
        await shop.post(f"{shop.stripe_url}/_switches", {"balance_after": 0})
        paid = await shop.pays(**mug(1))
        first = await shop.done(paid)
        for step in (None, RerunStep.ORDER, RerunStep.PAYMENT, RerunStep.FEE):
            result, written = await again(shop, paid, Rerun(tag=f"rerun-{step}", from_step=step))
            assert result == first, step
            assert written == (["POST /salesorders"] if step is RerunStep.ORDER else []), step
        assert check(await shop.stripe(), await shop.books()) == []
        assert (await shop.store.audit.verify(shop.slug)).ok


@pytest.mark.parametrize("step", [RerunStep.PAYMENT, RerunStep.ORDER])
async def test_what_a_person_deleted_is_written_anew(temporal_client: Client, tmp_path: Path, step: RerunStep) -> None:
    """The recorded payment is gone: plain, nothing happens; from a step before it on, it is recorded once."""
    async with a_street(temporal_client, tmp_path, ["shop"]) as shops:
        shop = shops["shop"]
        paid = await shop.pays(**mug(1))
        first = await shop.done(paid)
        await Desk(shop).call("DELETE", f"/customerpayments/{first['zoho_payment_id']}")
        assert (await again(shop, paid, Rerun(tag="rerun-1")))[1] == []
        assert [one.invariant for one in check(await shop.stripe(), await shop.books())] != []
        result, written = await again(shop, paid, Rerun(tag="rerun-2", from_step=step))
        assert "POST /customerpayments" in written
        assert result["invoice_id"] == first["invoice_id"]
        assert check(await shop.stripe(), await shop.books()) == []
        assert (await shop.store.audit.verify(shop.slug)).ok
