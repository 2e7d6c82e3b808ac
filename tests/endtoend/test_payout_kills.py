"""A worker that dies in the middle of a payout: another one goes on there."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from pathlib import Path

from domain.canonical import parse
from domain.certified import Certificate
from tests.endtoend.processes import a_house_of_processes
from tests.endtoend.test_payouts import NEVER
from tests.house import QUICK
from workflows import contract

PAGES, ROWS, DIES_IN = 100, 2, 57  # pages, rows on each, and the page that is at the door when the worker dies
LINES = PAGES * ROWS - 1  # and the payout's own row
AT_ONCE = 50
HURRIED = QUICK.model_copy(update={"call_timeout": timedelta(seconds=2)})
LISTED = "/v1/balance_transactions"


async def test_a_worker_killed_in_page_57_of_100_goes_on_there(temporal_cli: Path, tmp_path: Path) -> None:
    """By Stripe's log no page is read again but the one that was under way, and every line is certified once."""
    async with a_house_of_processes(temporal_cli, tmp_path, ["only"], HURRIED) as house:
        shop = house.shops["only"]
        await shop.post(f"{shop.stripe_url}/_switches", {**NEVER, "rows_of_a_page": ROWS})
        about = {"account": shop.connection.stripe.account_id}
        income = {**about, "amount": 100, "kind": "adjustment", "category": "other_adjustment"}
        for begin in range(0, LINES, AT_ONCE):
            some = range(begin, min(begin + AT_ONCE, LINES))
            await asyncio.gather(*(shop.post(f"{shop.stripe_url}/_movements", income) for _ in some))
        payout_id = (await shop.post(f"{shop.stripe_url}/_payouts", {**about, "pending_too": True}))["id"]
        door = shop.program("stripe").door
        held = door.hold("GET", f"{LISTED}$", after=True, skip=DIES_IN - 1)
        for step in ("pay", "reconcile"):
            await shop.post(f"{shop.stripe_url}/_payouts/{payout_id}/{step}", {})
        await asyncio.wait_for(held.reached.wait(), 60)
        await house.kill("worker")
        door.release(held)
        await house.start("worker")
        handle = shop.client.get_workflow_handle(contract.payout_workflow_id(shop.slug, payout_id))
        assert (await asyncio.wait_for(handle.result(), 60))["lines"] == LINES
        (issued,) = await shop.store.payouts.versions(shop.slug, payout_id)
        lines = Certificate.model_validate(parse(issued)).lines
        assert len({line.transaction for line in lines}) == len(lines) == LINES
        begins = [one.query.get("starting_after", "") for one in door.log if (one.method, one.path) == ("GET", LISTED)]
        read = Counter(begins)
        assert (len(read), len(begins)) == (PAGES, PAGES + 1)
        assert begins[DIES_IN - 1] == begins[DIES_IN]
        assert read[begins[DIES_IN]] == 2
