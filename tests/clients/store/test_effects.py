"""Effects: who may write, and what is remembered of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from clients.store import EffectState, Store
from domain.money import Money
from tests.clients.store.conftest import AT

LEASE = timedelta(seconds=90)


async def test_the_first_begin_is_fresh_and_the_owners_second_is_unknown(store: Store, shop: str) -> None:
    """An intent found by its own owner means: it may have happened, look first."""
    first = await store.effects.begin(shop, "create_invoice", "pi_1", owner="run-1", at=AT)
    second = await store.effects.begin(shop, "create_invoice", "pi_1", owner="run-1", at=AT)
    assert (first.state, second.state) == (EffectState.FRESH, EffectState.UNKNOWN)


async def test_a_completed_effect_answers_its_result_to_everybody(store: Store, shop: str) -> None:
    """Done is done, for the owner and for any other run."""
    await store.effects.begin(shop, "create_invoice", "pi_1", owner="run-1", at=AT)
    await store.effects.complete(shop, "create_invoice", "pi_1", result={"invoice_id": "9"}, at=AT, actor="run-1")
    for owner in ("run-1", "run-2"):
        effect = await store.effects.begin(shop, "create_invoice", "pi_1", owner=owner, at=AT, lease=LEASE)
        assert (effect.state, effect.result) == (EffectState.DONE, {"invoice_id": "9"})


async def test_anothers_intent_is_held_until_its_lease_is_over(store: Store, shop: str) -> None:
    """Held without a lease and within it; after it the second run takes over, and the first is held."""

    async def begin(owner: str, after: float, lease: timedelta | None = LEASE) -> tuple[EffectState, str]:
        at = AT + timedelta(seconds=after)
        effect = await store.effects.begin(shop, "create_contact", "key", owner=owner, at=at, lease=lease)
        return effect.state, effect.owner

    assert await begin("run-1", 0) == (EffectState.FRESH, "run-1")
    assert await begin("run-2", 900, lease=None) == (EffectState.HELD, "run-1")
    assert await begin("run-2", 90) == (EffectState.HELD, "run-1")
    assert await begin("run-2", 91) == (EffectState.UNKNOWN, "run-2")
    assert await begin("run-1", 92) == (EffectState.HELD, "run-2")


async def test_the_owner_who_begins_again_renews_the_lease(store: Store, shop: str) -> None:
    """A slow owner that sets out once more is not overtaken while it writes."""
    for after in (0, 80):
        at = AT + timedelta(seconds=after)
        await store.effects.begin(shop, "create_contact", "key", owner="run-1", at=at, lease=LEASE)
    late = AT + timedelta(seconds=100)
    effect = await store.effects.begin(shop, "create_contact", "key", owner="run-2", at=late, lease=LEASE)
    assert effect.state is EffectState.HELD


async def test_who_looked_and_found_nothing_may_write_once_more(store: Store, shop: str) -> None:
    """`after` lets one more try through: no repeated one, and none that somebody else's try overtook."""

    async def begin(owner: str, after: int = 0) -> tuple[EffectState, int]:
        effect = await store.effects.begin(shop, "create_contact", "key", owner=owner, at=AT, after=after)
        return effect.state, effect.asked

    assert await begin("run-1") == (EffectState.FRESH, 1)
    assert await begin("run-1") == (EffectState.UNKNOWN, 2)
    assert await begin("run-2") == (EffectState.HELD, 2)
    assert await begin("run-3") == (EffectState.HELD, 2)
    assert await begin("run-1", after=2) == (EffectState.FRESH, 3)
    assert await begin("run-1", after=2) == (EffectState.UNKNOWN, 4)
    assert await begin("run-2", after=2) == (EffectState.HELD, 4)
    assert await begin("run-2", after=4) == (EffectState.FRESH, 5)
    assert await begin("run-3", after=4) == (EffectState.HELD, 5)
    assert await begin("run-1", after=4) == (EffectState.HELD, 5)


async def test_twenty_runs_at_once_find_one_fresh(store: Store, shop: str) -> None:
    """However many begin in the same moment, one writes; after its lease one of the others takes over."""

    async def begin(number: int, after: float) -> EffectState:
        at = AT + timedelta(seconds=after)
        effect = await store.effects.begin(shop, "create_contact", "k", owner=f"run-{number}", at=at, lease=LEASE)
        return effect.state

    states = await asyncio.gather(*(begin(number, 0) for number in range(20)))
    assert sorted(states) == sorted([EffectState.FRESH] + [EffectState.HELD] * 19)
    later = await asyncio.gather(*(begin(number + 20, 91) for number in range(20)))
    assert sorted(later) == sorted([EffectState.UNKNOWN] + [EffectState.HELD] * 19)


async def test_a_withdrawn_intent_is_fresh_again(store: Store, shop: str) -> None:
    """What definitely did not happen leaves no trace; only the owner can say so."""
    await store.effects.begin(shop, "create_invoice", "pi_1", owner="run-1", at=AT)
    await store.effects.withdraw(shop, "create_invoice", "pi_1", owner="run-2")
    held = await store.effects.begin(shop, "create_invoice", "pi_1", owner="run-2", at=AT)
    await store.effects.withdraw(shop, "create_invoice", "pi_1", owner="run-1")
    fresh = await store.effects.begin(shop, "create_invoice", "pi_1", owner="run-2", at=AT)
    assert (held.state, fresh.state) == (EffectState.HELD, EffectState.FRESH)


async def test_a_completed_effect_cannot_be_withdrawn(store: Store, shop: str) -> None:
    """Withdrawing what is done changes nothing."""
    await store.effects.begin(shop, "create_invoice", "pi_1", owner="run-1", at=AT)
    await store.effects.complete(shop, "create_invoice", "pi_1", result={"i": "9"}, at=AT, actor="run-1")
    await store.effects.withdraw(shop, "create_invoice", "pi_1", owner="run-1")
    effect = await store.effects.begin(shop, "create_invoice", "pi_1", owner="run-1", at=AT)
    assert effect.state is EffectState.DONE


async def test_a_completion_that_comes_again_changes_nothing(store: Store, shop: str) -> None:
    """The first result stays, with one audit entry, also when two complete at once."""
    await store.effects.begin(shop, "record_payment", "pi_1", owner="run-1", at=AT)
    await asyncio.gather(
        *(
            store.effects.complete(shop, "record_payment", "pi_1", result={"payment_id": "7"}, at=AT, actor="run-1")
            for _ in range(5)
        )
    )
    await store.effects.complete(shop, "record_payment", "pi_1", result={"payment_id": "8"}, at=AT, actor="late")
    entries = await store.audit.entries(shop)
    assert [(entry.result, entry.actor) for entry in entries] == [({"payment_id": "7"}, "run-1")]
    effect = await store.effects.begin(shop, "record_payment", "pi_1", owner="run-1", at=AT)
    assert effect.result == {"payment_id": "7"}


async def test_a_completion_without_an_intent_is_kept(store: Store, shop: str) -> None:
    """A write whose intent was lost is remembered all the same."""
    await store.effects.complete(shop, "create_invoice", "pi_1", result={"i": "1"}, at=AT, actor="run-1")
    effect = await store.effects.begin(shop, "create_invoice", "pi_1", owner="run-2", at=AT)
    assert effect.state is EffectState.DONE
    assert (await store.audit.verify(shop)).entries == 1


async def test_the_effects_of_a_payment_are_listed_with_their_money(store: Store, shop: str) -> None:
    """Begun and completed ones, oldest first, of this id and this connection only, times and money exact."""
    effects = store.effects
    later = AT + timedelta(seconds=1)
    amount = Money.of(4990, "EUR")
    await effects.begin(shop, "create_sales_order", "pi_1", owner="run-1", at=AT)
    await effects.complete(
        shop,
        "create_sales_order",
        "pi_1",
        result={"id": "5", "näme": "Ö"},
        at=later,
        actor="Eva",
        amount=amount,
        note="adopted",
    )
    await effects.begin(shop, "create_invoice", "pi_1", owner="run-1", at=later)
    await effects.begin(shop, "create_invoice", "pi_2", owner="run-2", at=AT)
    await effects.begin(f"{shop}-b", "create_invoice", "pi_1", owner="run-3", at=AT)
    order, invoice = await effects.of(shop, "pi_1")
    assert (order.step, order.begun_at, order.completed_at) == ("create_sales_order", AT, later)
    assert (order.result, order.actor, order.amount, order.note) == (
        {"id": "5", "näme": "Ö"},
        "Eva",
        amount,
        "adopted",
    )
    assert (invoice.step, invoice.completed_at, invoice.amount) == ("create_invoice", None, None)


async def test_a_cancelled_caller_leaves_no_half_transaction(store: Store, shop: str) -> None:
    """Callers cancelled at any moment leave each effect whole, and the store works on."""

    async def pair(number: int) -> None:
        stripe_id = f"pi_{number}"
        await store.effects.begin(shop, "s", stripe_id, owner="o", at=AT)
        await store.effects.complete(shop, "s", stripe_id, result={}, at=AT, actor="o")

    tasks = [asyncio.create_task(pair(number)) for number in range(60)]
    for number, task in enumerate(tasks):
        for _ in range(number % 7):
            await asyncio.sleep(0)
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.wait_for(pair(1000), timeout=30)
    report = await store.audit.verify(shop)
    assert report.ok, report.reason


async def test_a_naive_time_is_refused(store: Store, shop: str) -> None:
    """A time without its zone is a mistake of the caller, not of the database."""
    with pytest.raises(Exception, match="aware, never naive"):
        await store.effects.begin(shop, "s", "pi_1", owner="o", at=AT.replace(tzinfo=None))
