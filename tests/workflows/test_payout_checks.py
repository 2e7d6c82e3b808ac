"""The story of a check of payouts: page by page, and what is lacking is told."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.client import Client

from domain.payout_checks import PayoutCheckInput, PayoutPolicy, PayoutsChecked, PayoutsLooked, Uncertified
from domain.payouts import PayoutStatus
from domain.sweeps import Beginning
from tests.workflows.fakes import Script, Stage, event, on_stage
from tests.workflows.samples import QUICK, TOTAL
from tests.workflows.spans import DAY, NOON, no_times, refused
from workflows import contract


def lacking(payout_id: str) -> Uncertified:
    """A payout that nobody certified."""
    news = event(payout_id, "payout.paid")
    return Uncertified(payout_id=payout_id, status=PayoutStatus.PAID, money=TOTAL, event=news)


def wanted(**changes: Any) -> PayoutCheckInput:
    """A check of a day that is over."""
    usual = {"since": NOON - DAY, "until": NOON, "regular": False}
    return PayoutCheckInput(connection="shop", policy=QUICK, **(usual | changes))


async def checked(stage: Stage, start: PayoutCheckInput) -> PayoutsChecked:
    """What it came to."""
    found = await stage.client.execute_workflow(
        contract.PAYOUT_CHECK_WORKFLOW,
        start,
        id=contract.payout_check_workflow_id("shop", uuid.uuid4().hex, ""),
        task_queue=stage.queue,
        result_type=PayoutsChecked,
    )
    return PayoutsChecked.model_validate(found)


async def test_every_page_is_read_and_what_is_lacking_told_on_the_way(temporal_client: Client) -> None:
    """Thirty of the first page are two activities; the result counts all and names those that were told."""
    first = PayoutsLooked(lacking=tuple(lacking(f"po_{n}") for n in range(30)), count=100, certified=70, after="po_100")
    script = Script({"look_at_payouts": [first, PayoutsLooked(count=7, certified=4, under_way=2, left=1)]})
    async with on_stage(temporal_client, script) as stage:
        result = await checked(stage, wanted())
    assert script.names() == ["look_at_payouts", "tell_payouts", "tell_payouts", "look_at_payouts"]
    assert [len(one.lacking) for one in script.inputs("tell_payouts")] == [25, 5]
    assert [(look.after, look.regular) for look in script.inputs("look_at_payouts")] == [("", False), ("po_100", False)]
    counts = (result.count, result.certified, result.under_way, result.left, result.lacking)
    assert counts == (107, 74, 2, 1, 30)
    assert [one.payout_id for one in result.told] == [f"po_{n}" for n in range(30)]


@no_times
async def test_a_time_that_has_not_been_is_refused(temporal_client: Client, since: datetime, until: datetime) -> None:
    """The run closes at once and says so."""
    script = Script()
    async with on_stage(temporal_client, script) as stage:
        await refused(checked(stage, wanted(since=since, until=until)))
    assert script.names() == []


async def test_a_regular_check_looks_back_and_never_before_the_shop_was_connected(temporal_client: Client) -> None:
    """By its policy where we remember an old event; else from when its schedule was made."""
    now = datetime.now(UTC)
    policy = PayoutPolicy(look_back=10 * DAY)
    script = Script({"find_beginning": [Beginning(at=now - 90 * DAY), Beginning(at=None)]})
    async with on_stage(temporal_client, script) as stage:
        for _ in range(2):
            start = PayoutCheckInput(connection="shop", policy=QUICK, payouts=policy, begun=now - DAY)
            await checked(stage, start)
    old, new = script.inputs("look_at_payouts")
    assert abs(now - 10 * DAY - old.since) < timedelta(minutes=1)
    assert (new.since, old.regular) == (now - DAY, True)
    assert abs(old.until - now) < timedelta(minutes=1)


async def test_what_was_open_is_matched_again_at_night_only(temporal_client: Client) -> None:
    """After Stripe's list, page by page, as far back as the policy says; not in a check that somebody asked for."""
    again = PayoutsLooked(lacking=(lacking("po_9"),), matched=5, after="po_9")
    script = Script({"look_at_open_payouts": [again, PayoutsLooked(matched=2)]})
    policy = PayoutPolicy(open_for=90 * DAY)
    async with on_stage(temporal_client, script) as stage:
        result = await checked(stage, wanted(regular=True, payouts=policy))
        await checked(stage, wanted(payouts=policy))
    first = ["look_at_payouts", "look_at_open_payouts", "tell_payouts", "look_at_open_payouts"]
    assert script.names() == [*first, "look_at_payouts"]
    looks = script.inputs("look_at_open_payouts")
    assert [one.after for one in looks] == ["", "po_9"]
    assert abs(datetime.now(UTC) - 90 * DAY - looks[0].since) < timedelta(minutes=1)
    assert (result.count, result.matched, [one.payout_id for one in result.told]) == (0, 7, ["po_9"])
