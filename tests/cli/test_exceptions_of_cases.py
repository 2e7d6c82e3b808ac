"""`throughline exceptions` finds what waits for a person besides payments: refunds, payouts, orders changed by hand."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from cli.temporal_server import TemporalServer
from cli.waiting import answers
from domain.reconciling import Certified
from tests.cli.conftest import until
from tests.cli.test_exceptions import Shop, reach
from tests.workflows.fakes import Script, event, on_stage
from tests.workflows.samples import ANSWERS, REFUND
from tests.workflows.test_order_checks import EDITED, SAME
from tests.workflows.test_payments import until_parked

DENIED = ApplicationError("the key lacks Refunds: read", type="NotAllowed", non_retryable=True)
UNCLEAR = Certified(problems=("txn_1 is of the unknown category 'moon_dust'",))


@pytest.fixture
async def shop(temporal_client: Client, temporal_server: TemporalServer, tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop whose refunds, payouts and changed orders park once."""
    script = Script(
        {
            "fetch_refund": [DENIED, REFUND],
            "certify_payout": [UNCLEAR, ANSWERS["certify_payout"]],
            "see_order": [EDITED, SAME],
        }
    )
    async with on_stage(temporal_client, script) as stage:
        yield Shop(temporal_client, stage, f"shop-{uuid.uuid4().hex[:12]}", reach(temporal_server), tmp_path)


@pytest.mark.parametrize(("prefix", "waits"), [("re", "not_allowed"), ("po", "payout_unclear"), ("pi", "drift")])
async def test_a_parked_case_is_listed_and_answered(shop: Shop, prefix: str, waits: str) -> None:
    """By its own id, with the class it waits for."""
    case = f"{prefix}_{uuid.uuid4().hex}"
    start = shop.stage.payment("" if prefix == "re" else case).model_copy(update={"connection": shop.slug})
    if prefix == "pi":
        handle = await shop.stage.check(start)
    else:
        run = shop.stage.payout if prefix == "po" else shop.stage.refund
        handle = await run(start, event(case, "refund.created" if prefix == "re" else "payout.paid"))
    await until_parked(handle)

    async def listed() -> bool:
        return bool(await shop.rows("list", "--connection", shop.slug))

    await until(listed)
    (row,) = await shop.rows("list", "--connection", shop.slug)
    assert (row["payment"], row["class"]) == (case, waits)
    ended = await shop.command("resolve", "retry", case, "--by", "ada")
    assert ended.code == 0, ended.err
    await shop.client.get_workflow_handle(handle.id).result()


def test_who_answered_before_is_told_of_every_kind_of_run() -> None:
    """The answers of the run itself, not those of another run of the same payment."""
    runs = ("payment:s:pi_1", "change:s:evt_1", "refund:s:re_1", "check:s:pi_1")
    steps = ("answer#1", "answer#1@evt_1", "answer#2@evt_1.1", "answer#1@re_1", "answer#1@check-12ab34cd", "fee@re_1")
    told = [[step for step in steps if answers(run, step)] for run in runs]
    assert told == [[steps[0]], list(steps[1:3]), [steps[3]], [steps[4]]]
