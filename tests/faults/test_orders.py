"""I7: the events of one payment in any order, repeated, and late: the same books."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from temporalio.client import Client

from tests.endtoend.outcomes import LINES, Outcome, differences, everything_told, outcome
from tests.endtoend.shops import Shop, a_street
from tests.house import BUYER

AT_ONCE = 15
MOST = 16  # events that one payment has
WISHES = {
    "checkout": {"guest": BUYER, "lines": LINES},
    "invoice": {"via": "invoice", "customer": {"name": "Ada", "email": "ada@example.com"}, "lines": LINES},
    "charge": {"via": "charge_only", "guest": BUYER, "lines": [{"sku": "MUG", "unit_amount": 1500, "quantity": 2}]},
}


@dataclass(frozen=True)
class Telling:
    """Which events come, by their place in Stripe's own order, before the run has ended and after it.

    `at_once`: the first ones are not waited for, each by itself.
    """

    wish: str
    before: Sequence[int]
    late: Sequence[int]
    at_once: bool


places = st.integers(0, MOST - 1)
tellings = st.builds(
    Telling,
    wish=st.sampled_from(sorted(WISHES)),
    before=st.tuples(st.permutations(range(MOST)), st.lists(places, max_size=4)).flatmap(
        lambda both: st.permutations([*both[0], *both[1]])
    ),
    late=st.lists(places, max_size=4),
    at_once=st.booleans(),
)


async def resend(shop: Shop, events: Sequence[str], order: Sequence[int], *, wait: bool) -> None:
    """Sends events again by place; those that this payment has not are left out."""
    for place in order:
        if place < len(events):
            await shop.post(f"{shop.stripe_url}/_events/{events[place]}/resend", {})
            if wait:
                await everything_told(shop)


async def told(shop: Shop, telling: Telling) -> Outcome:
    """What a payment comes to whose events are told like this: their first deliveries are all lost."""
    await shop.post(f"{shop.stripe_url}/_switches", {"webhook_loss": 1.0})
    payment = await shop.pays(**WISHES[telling.wish])
    events = [event["id"] for event in (await shop.stripe())["events"]]
    assert len(events) <= MOST
    await resend(shop, events, telling.before, wait=not telling.at_once)
    await shop.done(payment)
    await resend(shop, events, telling.late, wait=True)
    return (await outcome(shop)).books()


@pytest.mark.timeout(300)
@settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(drawn=st.lists(tellings, min_size=AT_ONCE, max_size=AT_ONCE))
async def test_any_order_of_the_same_events_leaves_the_same_books(
    temporal_client: Client, tmp_path: Path, drawn: list[Telling]
) -> None:
    """Each telling against the plain one of its kind, many at once; both ledgers and the trail are compared."""
    plain = [Telling(wish, range(MOST), (), at_once=False) for wish in WISHES]
    names = {f"{number}-{uuid.uuid4().hex[:6]}": one for number, one in enumerate([*plain, *drawn])}
    async with a_street(temporal_client, tmp_path, names) as street:
        found = await asyncio.gather(*(told(street[name], one) for name, one in names.items()))
    expected = {one.wish: books for one, books in zip(plain, found, strict=False)}
    wrong = {
        str(one): lines
        for one, books in zip(names.values(), found, strict=True)
        if (lines := differences(expected[one.wish], books))
    }
    assert wrong == {}
