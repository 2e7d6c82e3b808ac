"""A shop that has history: what is partly there is completed, what people entered is adopted, nothing is doubled."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from temporalio.client import Client, WorkflowHandle

from cli.ledger_check import check
from domain.attention import AttentionClass
from domain.backfills import Backfilled
from domain.sweeps import SweepPolicy
from tests.endtoend.backfilling import DAYS, backfill, begin, enter, in_the_past, mug
from tests.endtoend.sweeping import all_closed, calls, sweep, until
from tests.house import QUICK, House, a_house
from workflows import contract

DAY = timedelta(days=1)
# What one payment of a new payer with an address costs: contact looked for twice (for his orders, and to make him),
# contact made, reference looked for, order, confirmation, invoice, sent mark, payment.
OF_A_NEW_PAYER = 9
OF_A_KNOWN_PAYER = 7  # reference and orders of the customer looked for, and five writes


def day_of_past() -> date:
    """The day of the payments, where the shop is."""
    return (datetime.now(UTC) - DAYS * DAY).astimezone(ZoneInfo("Europe/Berlin")).date()


async def standing(house: House) -> dict[str, list[Any]]:
    """What Zoho has."""
    organization = house.connection.zoho.organization_id
    names = ("salesorders", "invoices", "payments", "contacts")
    return {name: (await house.zoho(organization, only=name))[name] for name in names}


def as_entered(row: dict[str, Any]) -> dict[str, Any]:
    """A document without what Zoho says there of the stock of now."""
    return {name: value for name, value in row.items() if name != "line_items" or "invoice_id" not in row}


async def test_it_completes_what_is_partly_there(temporal_client: Client, tmp_path: Path) -> None:
    """Two carried live, six not: those six are carried on the day they were paid, in bulk, and a second time finds
    nothing; the calls are counted.
    """
    async with a_house(temporal_client, tmp_path) as house:
        live = [(await house.pay(**mug(number)))["payment_intent"] for number in (1, 2)]
        for one in live:
            await house.done(one)
        known = {**mug(1), "lines": [{"sku": "TEA", "unit_amount": 999, "quantity": 2}]}
        past = await in_the_past(house, *(mug(number) for number in range(3, 8)), known)
        await all_closed(house)
        before = sum((await calls(house)).values())
        done = await backfill(house)
        assert (done.total, done.started, done.completed, done.known) == (8, 6, 6, 2)
        assert check(await house.stripe(), await house.zoho()) == []
        found = await standing(house)
        days = {row["reference_number"]: (row["date"]) for row in found["salesorders"]}
        assert {days[one] for one in past} == {day_of_past().isoformat()}
        assert {row["date"] for row in found["payments"] if row["reference_number"] in past} == {days[past[0]]}
        assert sum((await calls(house)).values()) - before == 5 * OF_A_NEW_PAYER + OF_A_KNOWN_PAYER + 1  # a new item
        for one in past:
            queues = {
                event.activity_task_scheduled_event_attributes.task_queue.name
                for event in (await house.run_of(one).fetch_history()).events
                if event.HasField("activity_task_scheduled_event_attributes")
            }
            assert queues == {house.queue, f"{house.queue}-zoho-bulk"}
        again = await backfill(house)
        assert (again.total, again.started, again.known) == (8, 0, 8)
        assert (await sweep(house, back=60 * DAY, sweep=SweepPolicy(window=90 * DAY))).missed == {}
        assert (await house.store.audit.verify(house.slug)).ok


async def test_orders_that_people_entered_are_adopted_and_not_doubled(temporal_client: Client, tmp_path: Path) -> None:
    """By reference, by the number that the metadata tell, by customer, amount and date once a person says so; what is
    not that payment's is left alone, and what the shop wrote stays as it is.
    """
    policy = QUICK.model_copy(update={"order_number_keys": ("shop_order",)})
    async with a_house(temporal_client, tmp_path, policy=policy) as house:
        named, numbered, alike, other, unpaid = await in_the_past(
            house, mug(1), mug(2, metadata={"shop_order": "HAND-2"}), mug(3), mug(4), mug(5)
        )
        day = day_of_past()
        await enter(house, 1, day + 9 * DAY, reference=named)
        await enter(house, 2, day)
        await enter(house, 3, day + 2 * DAY)
        await enter(house, 4, day - 3 * DAY)
        await enter(house, 5, day, reference=unpaid, invoiced=False)
        before = await standing(house)
        done = await backfill(house)
        assert (done.started, done.completed, done.waiting) == (5, 3, 2)
        for one in (alike, other):
            trouble = await house.parked(one)
            assert (trouble.attention_class, trouble.skippable) == (AttentionClass.ORDER_BY_HAND, True)
        assert [order.number for order in trouble.orders] == ["HAND-4"]
        await house.answer(alike, "adopt")
        await house.answer(other, "skip", reason="that was another mug")
        results = {one: await house.done(one) for one in (named, numbered, alike, other, unpaid)}
        adopted = {one: results[one]["number"] for one in (named, numbered, alike, unpaid)}
        assert adopted == {named: "HAND-1", numbered: "HAND-2", alike: "HAND-3", unpaid: "HAND-5"}
        after = await standing(house)
        assert len(after["salesorders"]) == 5 + 1
        assert len(after["invoices"]) == 4 + 2  # of the payment that was not HAND-4, and of HAND-5
        assert len(after["payments"]) == 4 + 2
        assert len(after["contacts"]) == 5
        for name in ("salesorders", "invoices", "payments"):
            kept = [as_entered(row) for row in after[name]]
            changed = [row for row in before[name] if as_entered(row) not in kept]
            # Only HAND-5 went on: it was invoiced.
            assert [row["salesorder_number"] for row in changed] == (["HAND-5"] if name == "salesorders" else [])
        metadata = {row["id"]: row["metadata"] for row in (await house.stripe())["payment_intents"]}
        assert metadata[alike]["zoho_salesorder_number"] == "HAND-3"
        assert metadata[other]["zoho_salesorder_number"].startswith("SO-")
        notes = [entry.note for entry in await house.store.audit.entries(house.slug, alike)]
        assert any("order HAND-3" in note for note in notes)
        again = await backfill(house)
        assert (again.started, again.known) == (0, 5)
        assert (await house.store.audit.verify(house.slug)).ok


async def test_an_adopted_order_is_not_taken_back(temporal_client: Client, tmp_path: Path) -> None:
    """Aborted after it was adopted, the run leaves what people wrote, and says so."""
    async with a_house(temporal_client, tmp_path) as house:
        [paid] = await in_the_past(house, mug(1))
        await enter(house, 1, day_of_past(), reference=paid)
        before = await standing(house)
        await house.fault("stripe", fault="refuse", method="POST", path=f"/v1/payment_intents/{paid}", times=1)
        done = await backfill(house)
        assert done.waiting == 1
        await house.answer(paid, "abort", reason="not after all")
        failure = await house.failed(paid)
        assert "HAND-1, entered by hand, stays" in str(failure.cause)
        after = await standing(house)
        for name, rows in before.items():
            assert [as_entered(row) for row in after[name]] == [as_entered(row) for row in rows]


async def test_an_order_that_names_the_payment_and_does_not_fit_is_asked_about(
    temporal_client: Client, tmp_path: Path
) -> None:
    """A cent more, and nothing is adopted or written until a person has corrected it."""
    async with a_house(temporal_client, tmp_path) as house:
        [paid] = await in_the_past(house, mug(1))
        made = await enter(house, 2, day_of_past(), reference=paid, invoiced=False)
        await backfill(house)
        trouble = await house.parked(paid)
        assert trouble.attention_class is AttentionClass.ORDER_BY_HAND
        assert "HAND-2" in trouble.message
        assert "15.02 EUR" in trouble.message
        assert trouble.orders == ()
        assert [row["salesorder_id"] for row in (await standing(house))["salesorders"]] == [made["salesorder_id"]]
        await house.answer(paid, "skip", reason="a typo; that one is another's")
        assert (await house.done(paid))["number"].startswith("SO-")


async def test_the_day_leaves_the_reserve_to_live_payments(temporal_client: Client, tmp_path: Path) -> None:
    """The backfill stops at the reserve, and a live payment still goes through."""
    async with a_house(temporal_client, tmp_path, seed={"daily_limit": 235, "time_zone": evening()}) as house:
        reserve = house.connection.zoho.daily_reserve
        await house.done((await house.pay(**mug(1)))["payment_intent"])
        past = await in_the_past(house, *(mug(number) for number in range(2, 8)))
        handle = await begin(house, reserve=reserve, calls_each=OF_A_NEW_PAYER)
        await until(lambda: waits(handle))
        state = Backfilled.model_validate(await handle.query(contract.PROGRESS))
        assert (state.started, state.completed, state.left) == (2, 2, len(past) - 2)
        budget = await house.store.budgets.read(house.connection.zoho.organization_id)
        assert budget is not None
        left = budget.left(datetime.now(UTC))
        assert left is not None
        assert reserve <= left < reserve + OF_A_NEW_PAYER
        await house.done((await house.pay(**mug(20)))["payment_intent"])
        await handle.terminate()


def evening() -> str:
    """A zone where it is about eight: early in a day one live payment makes a whole day's wants of many calls."""
    east = (20 - datetime.now(UTC).hour + 12) % 24 - 12
    return f"Etc/GMT{-east:+d}"


async def waits(handle: WorkflowHandle[Any, Any]) -> bool:
    """Whether the backfill waits for another day."""
    return "kept for live payments" in (await handle.query(contract.PROGRESS))["waits"]


@pytest.mark.parametrize(
    ("since", "until", "hours"),
    [("2026-03-29", "2026-03-30", 23), ("2026-10-25", "2026-10-26", 25), ("2026-01-31", "2026-02-01", 24)],
)
def test_a_day_is_the_organisations_own(since: str, until: str, hours: int) -> None:
    """The days on which clocks change have 23 and 25 hours; a month ends where the shop is, not in Greenwich."""
    from cli.moments import range_of

    begin, end = range_of(since, until, datetime(2026, 11, 26, tzinfo=UTC), zone="Europe/Berlin")
    assert begin is not None
    assert end - begin == timedelta(hours=hours)
    assert begin.astimezone(ZoneInfo("Europe/Berlin")).isoformat()[:16] == f"{since}T00:00"
    assert range_of(since, until, datetime(2026, 11, 26, tzinfo=UTC))[0] == datetime.fromisoformat(f"{since}T00:00Z")
