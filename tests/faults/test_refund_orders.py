"""I7 for money that goes back: the events of one refund in any order, repeated and late, leave the same books."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from domain.attention import AttentionClass
from domain.policy import ReturnPolicy, ReturnTrigger, Ship
from domain.runs import Stage
from tests.endtoend import test_refunds as refunds
from tests.endtoend import zoho_desk as desk
from tests.endtoend.outcomes import LINES, Outcome, differences, everything_told, outcome
from tests.endtoend.shops import Shop, Ways, a_street
from tests.house import BUYER, QUICK, RETURN_FIELDS, SEED

AT_ONCE = 4
MOST = 12  # events that one refund has: fewer than that, and one more for Zoho's own webhook
ZOHO = MOST
WAYS = Ways(
    policy=QUICK.model_copy(
        update={
            "ship": Ship.WHEN_PAID,
            "returns": ReturnPolicy(**{"trigger": ReturnTrigger.RECEIVED, **desk.SOON}),
        }
    ),
    mapping=refunds.CLEARED,
    seed={**refunds.CLEARING, "custom_fields": [*SEED["custom_fields"], *RETURN_FIELDS]},
)


@dataclass(frozen=True)
class Telling:
    """What is told while the refund is under way, once it has arrived, and once it has failed after all.

    Events are named by their place in Stripe's own order; those of another time yet to come are left out. `at_once`:
    one does not wait for the other.
    """

    by: str
    pending: Sequence[int]
    arrived: Sequence[int]
    failed: Sequence[int]
    at_once: bool


def drawn(by: str, seed: str) -> Telling:
    """Everything in some order at each time, a few things more than once."""
    chance = random.Random(seed)

    def order() -> list[int]:
        told = [*range(ZOHO + 1), *(chance.randint(0, ZOHO) for _ in range(chance.randint(0, 5)))]
        chance.shuffle(told)
        return told

    return Telling(by, order(), order(), order(), at_once=chance.random() < 0.5)


async def until(holds: Callable[[], Awaitable[Any]]) -> Any:
    """What `holds` answers once it is true."""
    async with asyncio.timeout(90):
        while not (found := await holds()):
            await asyncio.sleep(0.1)
    return found


async def tell(shop: Shop, known: set[str], order: Sequence[int], return_id: str, *, wait: bool) -> None:
    """Sends what Stripe has said since `known`, by place, and Zoho's webhook where there is a return."""
    events = [event["id"] for event in (await shop.stripe(only="events"))["events"] if event["id"] not in known]
    assert len(events) <= MOST
    for place in order:
        if place == ZOHO and return_id:
            await shop.zoho_tells(return_id)
        elif place < len(events):
            await shop.post(f"{shop.stripe_url}/_events/{events[place]}/resend", {})
        if wait:
            await everything_told(shop)


async def told(shop: Shop, telling: Telling) -> Outcome:
    """What a refund comes to of which is told like this: the first deliveries of its events are all lost."""
    payment = await shop.pays(guest=BUYER, lines=LINES)
    await shop.done(payment)
    await everything_told(shop)
    known = {event["id"] for event in (await shop.stripe(only="events"))["events"]}
    await shop.post(f"{shop.stripe_url}/_switches", {"webhook_loss": 1.0, "refund_after": None})
    return_id, wait = "", not telling.at_once
    if telling.by == "return":
        clerk = desk.Desk(shop)
        return_id = await clerk.enters(("MUG", 1, 0), ("TEA", 1, 0))
        await clerk.receives(return_id)
        await shop.zoho_tells(return_id)
        await desk.reached(shop, return_id, Stage.WAITING_FOR_MONEY)
    else:
        await refunds.refund(shop, {"payment_intent": payment}, 1999)
    await tell(shop, known, telling.pending, return_id, wait=wait)
    (made,) = (await shop.stripe(only="refunds"))["refunds"]
    await shop.post(f"{shop.stripe_url}/_refunds/{made['id']}/settle", {})
    await tell(shop, known, telling.arrived, return_id, wait=wait)
    await ended(shop, made["id"], return_id, Stage.CREDITED)
    await shop.post(f"{shop.stripe_url}/_switches", {"refund_after": 0.0})
    await shop.post(f"{shop.stripe_url}/_refunds/{made['id']}/fail", {})
    await tell(shop, known, telling.failed, return_id, wait=wait)
    if return_id:
        assert (await desk.parked(shop, return_id)).attention_class is AttentionClass.REFUND_FAILED
        await desk.answer(shop, return_id, "retry")
        (made,) = [row for row in (await until(lambda: again(shop))) if row["id"] != made["id"]]
        await tell(shop, known, telling.failed, return_id, wait=wait)
    await ended(shop, made["id"], return_id, Stage.CREDITED if return_id else Stage.REOPENED)
    books = (await outcome(shop)).books()
    # Whether people hear of a question depends on how fast it is answered.
    return replace(
        books, audit=[step for step in books.audit if not step.startswith(("tell_attention", "tell_resolved"))]
    )


async def again(shop: Shop) -> list[dict[str, Any]]:
    """Both refunds, once there are two."""
    made: list[dict[str, Any]] = (await shop.stripe(only="refunds"))["refunds"]
    return made if len(made) == 2 else []


async def ended(shop: Shop, refund_id: str, return_id: str, stage: Stage) -> None:
    """The run that books the refund has ended at `stage`, and no other run of the shop is open."""

    async def is_there() -> bool:
        result = await (desk.ended(shop, return_id) if return_id else refunds.booked(shop, refund_id))
        query = f"Connection = '{shop.slug}' AND ExecutionStatus = 'Running'"
        return bool(result["stage"] == stage and (await shop.client.count_workflows(query)).count == 0)

    await everything_told(shop)
    await until(is_there)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("by", ["dashboard", "return"])
async def test_any_order_of_a_refunds_events_leaves_the_same_books(
    temporal_client: Client, tmp_path: Path, by: str
) -> None:
    """Each telling against the plain one, many at once; both ledgers and the trail are compared."""
    order = range(ZOHO + 1)
    tellings = [Telling(by, order, order, order, at_once=False), *(drawn(by, f"{by} {n}") for n in range(AT_ONCE))]
    names = {f"{number}-{uuid.uuid4().hex[:6]}": one for number, one in enumerate(tellings)}
    async with a_street(temporal_client, tmp_path, names, ways=dict.fromkeys(names, WAYS)) as street:
        found = await asyncio.gather(*(told(street[name], one) for name, one in names.items()))
    wrong = {
        str(one): lines
        for one, books in zip(names.values(), found, strict=True)
        if (lines := differences(found[0], books))
    }
    assert wrong == {}
